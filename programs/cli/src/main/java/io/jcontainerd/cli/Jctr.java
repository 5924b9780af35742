package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.failure.ContainerdException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** The command and what all its commands have in common. */
@Command(
    name = "jctr",
    description = "Looks after what jcontainerd stores, pulls and runs.",
    subcommands = {
      Fsck.class,
      WhyKept.class,
      DiskUsage.class,
      Scrub.class,
      Images.class,
      PullImage.class,
      PushImage.class,
      Ops.class,
      FollowEvents.class,
      CommandLine.HelpCommand.class
    },
    mixinStandardHelpOptions = true,
    versionProvider = Jctr.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  jctr fsck                  is everything as it should be?",
      "  jctr fsck --deep --repair  read every byte and heal what is damaged",
      "  jctr du                    what do images and containers take?",
      "  jctr why-kept sha256:4bcff6  what keeps this blob?",
      "  jctr ops                   what is the daemon doing, and what does it wait for?",
      "  jctr events --from 1200    what has happened since event 1200?",
      "  jctr pull alpine           bring an image and unpack it",
      "  jctr images explain alpine  where would this be pulled from?",
      "",
      "`jctr COMMAND --help` tells more."
    })
public final class Jctr {
  static final int FOUND = 1;
  static final int MISUSED = 2;
  static final int FAILED = 3;

  @Option(
      names = {"-a", "--address"},
      paramLabel = "SOCKET",
      description = "The daemon's socket; also by $$CONTAINERD_ADDRESS. Default: ${DEFAULT-VALUE}",
      defaultValue = "${env:CONTAINERD_ADDRESS:-" + Containerd.DEFAULT_ADDRESS + "}",
      scope = CommandLine.ScopeType.INHERIT)
  private String address = Containerd.DEFAULT_ADDRESS;

  @Option(
      names = "--format",
      paramLabel = "table|json",
      description = "How to print. Default: ${DEFAULT-VALUE}",
      defaultValue = "table",
      scope = CommandLine.ScopeType.INHERIT)
  private Format format = Format.table;

  /** How results are printed. */
  enum Format {
    /** For people. */
    table,
    /** For programs. */
    json
  }

  /** Tells which build this is. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Jctr.class.getPackage().getImplementationVersion();
      return new String[] {"jctr " + (version == null ? "of a checkout" : version)};
    }
  }

  /** Held, for loggers that nobody holds forget their level. */
  private static final Logger NETTY = Logger.getLogger("io.netty");

  /** Begins the program. */
  public static void main(String[] arguments) {
    NETTY.setLevel(Level.SEVERE); // what it warns of is nothing that people could change
    var out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);
    var err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    int status = run(out, err, arguments);
    out.flush();
    System.exit(status);
  }

  /** Runs a command line; returns the program's status. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    CommandLine line = new CommandLine(new Jctr());
    line.setOut(out);
    line.setErr(err);
    line.setExecutionExceptionHandler(Jctr::failed);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(true);
    int status = line.execute(arguments);
    out.flush();
    return status;
  }

  private static int failed(Exception failure, CommandLine line, ParseResult parsed)
      throws Exception {
    if (!(failure instanceof ContainerdException known)) {
      throw failure;
    }
    PrintWriter err = line.getErr();
    err.println("jctr: " + Advice.text(known));
    String next = Advice.next(known);
    if (!next.isEmpty()) {
      err.println("      " + next);
    }
    return FAILED;
  }

  Format format() {
    return format;
  }

  Containerd connect() {
    return Containerd.connect(address);
  }

  String address() {
    return address;
  }
}
