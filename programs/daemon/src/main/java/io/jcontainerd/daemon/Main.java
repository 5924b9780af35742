package io.jcontainerd.daemon;

import io.jcontainerd.daemon.assembly.ProvenRuntime;
import io.jcontainerd.daemon.cli.CommandLine;
import io.jcontainerd.daemon.cli.OciHook;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.ServiceNotifier;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;

/** Where the program begins. */
public final class Main {
  private static final Logger LOG = System.getLogger(Main.class.getName());

  private Main() {}

  /** Runs what the command line asks for and exits with its status. */
  public static void main(String[] words) {
    BuildInfo build = BuildInfo.load();
    var line =
        new CommandLine(
            build,
            config -> serve(config, build),
            ProvenRuntime::in,
            Publish::publish,
            OciHook.ofThisProcess()::run,
            System.in,
            System.out,
            System.err);
    int status = line.run(List.of(words));
    System.out.flush();
    System.exit(status);
  }

  private static void serve(LoadedConfig config, BuildInfo build) throws InterruptedException {
    Signals signals = Signals.install();
    ServiceNotifier manager = ServiceNotifier.ofEnvironment();
    try (Daemon daemon = Daemon.start(config, build)) {
      notify(manager::ready);
      LOG.log(Level.INFO, "jcontainerd successfully booted in {0}s", bootSeconds());
      signals.await();
      notify(manager::stopping);
    }
  }

  private static String bootSeconds() {
    long started =
        ProcessHandle.current()
            .info()
            .startInstant()
            .map(instant -> System.currentTimeMillis() - instant.toEpochMilli())
            .orElse(0L);
    return String.format("%.3f", started / 1000.0);
  }

  /** Sends a state to the service manager. */
  @FunctionalInterface
  private interface Notification {
    void send() throws ErrnoException;
  }

  /** A manager that cannot be told is worth a line, not the end of the daemon. */
  private static void notify(Notification notification) {
    try {
      notification.send();
    } catch (ErrnoException e) {
      LOG.log(Level.WARNING, "the service manager cannot be told", e);
    }
  }
}
