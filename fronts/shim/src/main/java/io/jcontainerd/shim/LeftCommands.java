package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Commands of an OCI runtime that a killed host left running. They are ended before anything is
 * taken over or removed: a create that went on would make a container that nobody knows of.
 *
 * <p>They are told by the log in the container's bundle that {@link OciRuntime} gives to each. The
 * kernel could end them with the host (PR_SET_PDEATHSIG), but goes by the thread that started them,
 * which in a JVM is nobody in particular.
 */
final class LeftCommands {
  private static final System.Logger LOG = System.getLogger(LeftCommands.class.getName());
  private static final Duration KILLED = Duration.ofSeconds(10);

  private final Children children;

  LeftCommands(Children children) {
    this.children = children;
  }

  /** Ends those that work on one of the bundles, and waits until they are gone. */
  void end(Set<Path> bundles) throws IOException, InterruptedException {
    List<Child> killed = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        kill(bundles, process).ifPresent(killed::add);
      }
    }
    for (Child command : killed) {
      if (command.await(KILLED).isEmpty()) {
        throw new IOException("process " + command.pid() + " does not end though it was killed");
      }
    }
  }

  private Optional<Child> kill(Set<Path> bundles, Path process) throws IOException {
    int pid = Integer.parseInt(process.getFileName().toString());
    Optional<ProcessIdentity> identity = ProcessIdentity.of(pid);
    if (identity.isEmpty() || !worksOn(bundles, process)) {
      return Optional.empty();
    }
    // identified before and after its command line was read: it is the one that was looked at
    Optional<Child> command = children.adopt(identity.get());
    if (command.isPresent()) {
      LOG.log(
          Level.INFO,
          "a runtime command of an earlier host, process {0}, is ended",
          Integer.toString(pid));
      Signals.send(-pid, Signals.KILL); // each leads a group, with what it has started so far
      command.get().signal(Signals.KILL);
    }
    return command;
  }

  private static boolean worksOn(Set<Path> bundles, Path process) {
    List<String> arguments;
    try {
      arguments =
          List.of(new String(Files.readAllBytes(process.resolve("cmdline")), UTF_8).split("\0"));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "process {0} has ended: {1}", process, e.getMessage());
      return false;
    }
    int option = arguments.indexOf("--log");
    if (option < 0 || option + 1 >= arguments.size()) {
      return false;
    }
    Path bundle = Path.of(arguments.get(option + 1)).getParent();
    return bundle != null && bundles.contains(bundle) && arguments.contains("--root");
  }
}
