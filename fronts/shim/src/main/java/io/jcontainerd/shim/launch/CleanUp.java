package io.jcontainerd.shim.launch;

import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/**
 * The {@code delete} action. A daemon runs it when the connection of a task is gone, be it that the
 * task was deleted, as usual, or that the host died. What is left of the container, if anything, is
 * removed by a host; the one that is started after another died removes all that it left.
 */
final class CleanUp {
  private static final int KILLED = 137;
  private static final int SIGKILL = 9;
  private static final String SERVICE = "containerd.task.v3.Task";
  private static final Duration LIMIT = Duration.ofMillis(4700); // daemons wait for five seconds
  private static final Duration POLL = Duration.ofMillis(20);

  private final Path bundle;
  private final String namespace;
  private final String id;
  private final HostStarter hosts;
  private final String ttrpcAddress;

  CleanUp(Path bundle, String namespace, String id, HostStarter hosts, String ttrpcAddress) {
    this.bundle = bundle;
    this.namespace = namespace;
    this.id = id;
    this.hosts = hosts;
    this.ttrpcAddress = ttrpcAddress;
  }

  /** Removes what is left; the bytes of a {@code DeleteResponse}. */
  byte[] run() throws IOException, InterruptedException {
    String state = text("shim-state");
    String address = text("address");
    if (!state.isEmpty() && !address.isEmpty()) {
      HostPlace place = HostPlace.of(Path.of(state), address);
      Path record = place.record(namespace, id);
      if (Files.exists(record)) {
        remove(place, record);
      }
    }
    return LaunchMessages.deleted(pid(), KILLED, Instant.now());
  }

  private void remove(HostPlace place, Path record) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    var found = hosts.findOrStart(place, ttrpcAddress, false, LIMIT, HostStarter.Late.LEAVE);
    try (TtrpcClient client =
        TtrpcClient.connect(HostPlace.of(place.state(), found.host().address()).socket(), LIMIT)) {
      while (Files.exists(record)) {
        Duration left = Duration.ofNanos(deadline - System.nanoTime());
        if (!left.isPositive()) {
          throw new LaunchException("container " + id + " is not removed within " + LIMIT);
        }
        call(client, "Kill", LaunchMessages.kill(id, SIGKILL), left);
        call(client, "Wait", LaunchMessages.container(id), left);
        call(client, "Delete", LaunchMessages.container(id), left);
        Thread.sleep(POLL); // one that is not there yet or any more has its record for a moment
      }
    }
  }

  private void call(TtrpcClient client, String method, byte[] request, Duration limit)
      throws InterruptedException {
    try {
      var _ =
          client.call(
              SERVICE,
              method,
              request,
              CallOptions.within(limit).with(Metadata.namespace(namespace)));
    } catch (TtrpcException e) {
      if (e.code() != StatusCode.NOT_FOUND) {
        throw new LaunchException(method + " of container " + id + ": " + e.getMessage(), e);
      }
    }
  }

  private int pid() throws IOException {
    try {
      return Integer.parseInt(text("init.pid"));
    } catch (NumberFormatException e) {
      return 0; // it never had one
    }
  }

  private String text(String file) throws IOException {
    try {
      return Files.readString(bundle.resolve(file)).strip();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
