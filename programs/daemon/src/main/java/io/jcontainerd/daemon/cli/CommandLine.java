package io.jcontainerd.daemon.cli;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.cli.Arguments.Option;
import io.jcontainerd.daemon.config.ConfigException;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.log.DaemonLog;
import io.jcontainerd.daemon.log.LogLevel;
import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.ServerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Understands the command line and does what it asks. Exit status 0 is success and 1 anything else,
 * as containerd's is.
 */
public final class CommandLine {
  private static final Path DEFAULT_CONFIG = Path.of("/etc/containerd/config.toml");
  private static final String GRPC = "io.containerd.server.v1.grpc";
  private static final String TTRPC = "io.containerd.server.v1.ttrpc";

  private static final List<Option> GLOBAL =
      List.of(
          new Option("config", "c", false, "configuration file (" + DEFAULT_CONFIG + ")"),
          new Option("log-level", "l", false, String.join(", ", LogLevel.names())),
          new Option("address", "a", false, "gRPC socket; ttrpc is beside it"),
          new Option("root", "", false, "folder of what survives a reboot"),
          new Option("state", "", false, "folder of what does not"),
          new Option("help", "h", true, "print this and exit"),
          new Option("version", "v", true, "print the version and exit"));
  private static final List<Option> PUBLISH =
      List.of(
          new Option("namespace", "", false, "namespace of the event"),
          new Option("topic", "", false, "topic of the event"));

  /** What runs the daemon until it is told to stop, with the configuration complete. */
  @FunctionalInterface
  public interface Runner {
    /** Returns when the daemon has ended in order. */
    void run(LoadedConfig config) throws IOException, InterruptedException;
  }

  /** What completes a configuration by what a daemon finds out at its start. */
  @FunctionalInterface
  public interface Completion {
    /** The configuration as a daemon on this machine would have it. */
    LoadedConfig complete(LoadedConfig config) throws IOException, InterruptedException;
  }

  /** What publishes an event, the bytes of an {@code Any}, at an address. */
  @FunctionalInterface
  public interface Publisher {
    /** Returns when the daemon at {@code address} has accepted the event. */
    void publish(String address, String namespace, String topic, byte[] event) throws IOException;
  }

  /** What completes the arguments of an OCI hook and runs its program. */
  @FunctionalInterface
  public interface Hook {
    /** The exit status of the program, which was told the container's state. */
    int run(List<String> command, InputStream state) throws IOException, InterruptedException;
  }

  private final BuildInfo build;
  private final Runner runner;
  private final Completion completion;
  private final Publisher publisher;
  private final Hook hook;
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;

  public CommandLine(
      BuildInfo build,
      Runner runner,
      Completion completion,
      Publisher publisher,
      Hook hook,
      InputStream in,
      PrintStream out,
      PrintStream err) {
    this.build = build;
    this.runner = runner;
    this.completion = completion;
    this.publisher = publisher;
    this.hook = hook;
    this.in = in;
    this.out = out;
    this.err = err;
  }

  /** Runs the command that {@code words} give and returns the exit status. */
  public int run(List<String> words) {
    try {
      Arguments global = Arguments.parse(words, GLOBAL);
      if (global.flag("version")) {
        out.println(("jcontainerd " + build.version() + " " + build.revision()).strip());
        return 0;
      }
      if (global.flag("help")) {
        help();
        return 0;
      }
      if (global.rest().isEmpty()) {
        return daemon(global);
      }
      List<String> rest = global.rest().subList(1, global.rest().size());
      return switch (global.rest().getFirst()) {
        case "config" -> config(global, rest);
        case "publish" -> publish(global, rest);
        case "help", "h" -> {
          help();
          yield 0;
        }
        case "oci-hook" -> hook.run(Arguments.parse(rest, List.of()).rest(), in);
        default -> throw new UsageException("unknown command " + global.rest().getFirst());
      };
    } catch (UsageException e) {
      err.println("jcontainerd: " + e.getMessage());
      err.println("jcontainerd --help lists options and commands");
    } catch (ContainerdException e) {
      err.println("jcontainerd: " + e.getMessage());
    } catch (ConfigException e) {
      e.problems().forEach(problem -> err.println("jcontainerd: " + problem));
    } catch (IOException e) {
      err.println("jcontainerd: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      err.println("jcontainerd: interrupted");
    } catch (RuntimeException e) {
      err.println("jcontainerd: this is a bug, please report it: " + e);
      e.printStackTrace(err);
    }
    return 1;
  }

  private void help() {
    out.println("jcontainerd runs containers: the daemon that answers containerd's API");
    out.println();
    out.println("usage: jcontainerd [OPTION...] [COMMAND]");
    out.println();
    out.println("Without a command it serves until SIGTERM or SIGINT. Commands:");
    out.println("  config default           print the default configuration");
    out.println("  config dump              print the effective configuration");
    out.println("  config migrate           print the configuration file in the current version");
    out.println("  publish                  send an event, an Any on standard input, to a daemon");
    Arguments.help(PUBLISH).forEach(out::println);
    out.println(
        "  oci-hook -- PROGRAM...   run a hook's program, with {{id}} and the like replaced");
    out.println();
    out.println("Options:");
    Arguments.help(GLOBAL).forEach(out::println);
  }

  private int daemon(Arguments global) throws IOException, InterruptedException {
    LoadedConfig config = effective(global);
    DaemonSettings.Debug debug = config.daemon().debug();
    LogLevel level = LogLevel.named(debug.level()).orElse(LogLevel.INFO);
    DaemonLog.install(level, debug.format().equals("json"));
    Logger log = System.getLogger(CommandLine.class.getName());
    config.warnings().forEach(warning -> log.log(Level.WARNING, warning));
    runner.run(config);
    return 0;
  }

  private int config(Arguments global, List<String> words)
      throws IOException, InterruptedException {
    if (words.size() != 1) {
      throw new UsageException("config needs one of default, dump, migrate");
    }
    String toml =
        switch (words.getFirst()) {
          case "default" -> ConfigLoader.defaults().toToml();
          case "dump" -> dump(global);
          case "migrate" -> warned(load(global)).toToml();
          default -> throw new UsageException("config has no command " + words.getFirst());
        };
    out.print(toml);
    return 0;
  }

  private String dump(Arguments global) throws IOException, InterruptedException {
    DaemonLog.install(LogLevel.ERROR, false);
    return warned(completion.complete(effective(global))).toToml();
  }

  private LoadedConfig warned(LoadedConfig config) {
    config.warnings().forEach(warning -> err.println("jcontainerd: " + warning));
    return config;
  }

  private static LoadedConfig load(Arguments global) {
    Optional<Path> given = global.value("config").map(Path::of);
    return ConfigLoader.load(given.orElse(DEFAULT_CONFIG), given.isPresent());
  }

  /** The configuration with what the command line says laid over it. */
  private static LoadedConfig effective(Arguments global) {
    LoadedConfig config = load(global);
    DaemonSettings settings = config.daemon();
    String level = global.value("log-level").orElse(settings.debug().level());
    if (LogLevel.named(level).isEmpty()) {
      throw new UsageException(
          "log level " + level + " is none of " + String.join(", ", LogLevel.names()));
    }
    try {
      config =
          config.with(
              settings.with(
                  global.value("root").orElse(settings.root()),
                  global.value("state").orElse(settings.state()),
                  level));
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    Optional<String> address = global.value("address");
    return address.isPresent() ? addressed(config, address.get()) : config;
  }

  private static LoadedConfig addressed(LoadedConfig config, String address) {
    var grpc = config.settings(GRPC, ServerSettings.Grpc.class);
    var ttrpc = config.settings(TTRPC, ServerSettings.Ttrpc.class);
    LoadedConfig changed =
        config.with(
            GRPC,
            new ServerSettings.Grpc(
                address,
                grpc.uid(),
                grpc.gid(),
                grpc.maxRecvMessageSize(),
                grpc.maxSendMessageSize()));
    boolean unset = ttrpc.address().equals(ServerSettings.Ttrpc.defaults().address());
    return unset || ttrpc.address().equals(grpc.address() + ".ttrpc")
        ? changed.with(
            TTRPC, new ServerSettings.Ttrpc(address + ".ttrpc", ttrpc.uid(), ttrpc.gid()))
        : changed;
  }

  private int publish(Arguments global, List<String> words) throws IOException {
    Arguments arguments = Arguments.parse(words, PUBLISH);
    DaemonLog.install(LogLevel.WARN, false);
    String topic =
        arguments.value("topic").orElseThrow(() -> new UsageException("publish needs --topic"));
    String namespace =
        arguments
            .value("namespace")
            .orElseThrow(() -> new UsageException("publish needs --namespace"));
    String address =
        global
            .value("address")
            .orElseGet(() -> load(global).settings(GRPC, ServerSettings.Grpc.class).address());
    publisher.publish(address, namespace, topic, in.readAllBytes());
    return 0;
  }
}
