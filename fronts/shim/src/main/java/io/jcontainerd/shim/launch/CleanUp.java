package io.jcontainerd.shim.launch;

import io.jcontainerd.oci.json.JsonObject;
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
import java.util.Map;
import java.util.Optional;

/**
 * The {@code delete} action. A daemon runs it when the connection of a task is gone, be it that the
 * task was deleted, as usual, or that the host died. What is left of the container, if anything, is
 * removed by a host; the one that is started after another died removes all that it left.
 *
 * <p>Bundles of our own daemon name this program as well, for whoever takes them over. Their host
 * has its state elsewhere: it is asked if it serves, and done without if it does not.
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
  private final Map<String, String> environment;

  CleanUp(
      Path bundle,
      String namespace,
      String id,
      HostStarter hosts,
      String ttrpcAddress,
      Map<String, String> environment) {
    this.bundle = bundle;
    this.namespace = namespace;
    this.id = id;
    this.hosts = hosts;
    this.ttrpcAddress = ttrpcAddress;
    this.environment = Map.copyOf(environment);
  }

  /** Removes what is left; the bytes of a {@code DeleteResponse}. */
  byte[] run() throws IOException, InterruptedException {
    String state = text("shim-state");
    String address = text("address");
    int pid = pid();
    if (state.isEmpty()) {
      removeOurs();
    } else if (!address.isEmpty()) {
      HostPlace place = HostPlace.of(Path.of(state), address);
      Path record = place.record(namespace, id);
      if (Files.exists(record)) {
        remove(place, record);
      }
    }
    return LaunchMessages.deleted(pid, KILLED, Instant.now());
  }

  private void removeOurs() throws IOException, InterruptedException {
    String bootstrap = text("bootstrap.json");
    if (bootstrap.isEmpty() && text("options.json").isEmpty()) {
      return; // it never had a shim, nor an OCI runtime
    }
    Optional<TtrpcClient> serving =
        bootstrap.startsWith("{") ? connect(JsonObject.parse(bootstrap)) : Optional.empty();
    if (serving.isPresent()) {
      try (TtrpcClient client = serving.get()) {
        end(client, LIMIT);
      }
    } else {
      new RemovalByHand(bundle, namespace, id, environment).run(LIMIT);
    }
  }

  private static Optional<TtrpcClient> connect(JsonObject bootstrap) throws InterruptedException {
    Optional<String> address = bootstrap.string("address").filter(a -> !a.isEmpty());
    if (address.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(TtrpcClient.connect(HostPlace.path(address.get()), LIMIT));
    } catch (IOException e) {
      return Optional.empty(); // nobody serves there
    }
  }

  /** A host that does not know the container, or any more, has nothing of it. */
  private void end(TtrpcClient client, Duration limit) throws InterruptedException {
    call(client, "Kill", LaunchMessages.kill(id, SIGKILL), limit);
    call(client, "Wait", LaunchMessages.container(id), limit);
    call(client, "Delete", LaunchMessages.container(id), limit);
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
        end(client, left);
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
