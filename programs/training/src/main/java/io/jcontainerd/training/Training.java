package io.jcontainerd.training;

import io.jcontainerd.daemon.Main;
import io.jcontainerd.shim.ShimHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The daemon, with its shim host in the same virtual machine.
 *
 * <p>A start-up cache is the record of one run of one virtual machine, and the daemon and its host
 * share one cache, so they make that run together. The daemon starts a stand-in for the host's
 * program, which leaves its arguments in the file that the system property {@code training.request}
 * names, a line each; here the host begins with them. The machine ends when the host leaves.
 */
public final class Training {
  private static final String REQUEST = "training.request";
  private static final long POLL_MILLIS = 5;

  private Training() {}

  /** Runs both; the arguments are the daemon's. */
  public static void main(String[] words) {
    Path request = Path.of(System.getProperty(REQUEST));
    Thread.ofPlatform().daemon().name("shim-host").start(() -> host(request));
    Main.main(words);
  }

  private static void host(Path request) {
    try {
      while (Files.notExists(request)) {
        Thread.sleep(POLL_MILLIS);
      }
      List<String> arguments = Files.readAllLines(request);
      ShimHost.main(arguments.toArray(String[]::new));
    } catch (IOException e) {
      throw new IllegalStateException("the request for a host in " + request, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
