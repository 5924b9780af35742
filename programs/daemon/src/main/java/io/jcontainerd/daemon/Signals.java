package io.jcontainerd.daemon;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * SIGTERM and SIGINT ask for an end, SIGUSR1 for the stacks of all threads. SIGPIPE is ignored by
 * the virtual machine already.
 */
final class Signals {
  private static final Logger LOG = System.getLogger(Signals.class.getName());

  private final CountDownLatch end = new CountDownLatch(1);

  private Signals() {}

  /** Takes over the process's signals. */
  static Signals install() {
    var signals = new Signals();
    for (String name : new String[] {"TERM", "INT"}) {
      handle(
          name,
          signal -> {
            LOG.log(Level.INFO, "received signal {0}, stopping", signal);
            signals.end.countDown();
          });
    }
    handle("USR1", _ -> dump());
    return signals;
  }

  /**
   * Calls {@code handler} with the signal's name, on a thread that the virtual machine makes.
   *
   * <p>The class that does this is exported, but the compiler warns of each use without a way to
   * say that it is meant; hence by reflection.
   */
  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself only
  private static void handle(String name, Consumer<String> handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> type = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {type},
              (self, method, arguments) ->
                  switch (method.getName()) {
                    case "handle" -> {
                      handler.accept(name);
                      yield null;
                    }
                    case "equals" -> self == arguments[0];
                    case "hashCode" -> System.identityHashCode(self);
                    default -> "handler of SIG" + name;
                  });
      signal
          .getMethod("handle", signal, type)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("SIG" + name + " cannot be handled", e);
    }
  }

  /** Waits until an end is asked for. */
  void await() throws InterruptedException {
    end.await();
  }

  private static void dump() {
    Path file =
        Path.of(
            System.getProperty("java.io.tmpdir"),
            "containerd." + ProcessHandle.current().pid() + ".stacks.log");
    try {
      LOG.log(
          Level.INFO,
          "=== BEGIN thread stacks ===\n{0}=== END thread stacks ===",
          Files.readString(stacks(file)));
      LOG.log(Level.INFO, "thread stacks are in {0}", file);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "thread stacks cannot be written to " + file, e);
    }
  }

  /** Writes the stacks of all threads, virtual ones among them, to a file in place of another. */
  static Path stacks(Path file) throws IOException {
    Files.deleteIfExists(file);
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpThreads(file.toString(), ThreadDumpFormat.TEXT_PLAIN);
    return file;
  }
}
