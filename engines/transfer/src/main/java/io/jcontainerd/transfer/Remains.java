package io.jcontainerd.transfer;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.ports.Time;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a pull that failed has brought already: kept for a while by a lease named after the image,
 * so that the next try needs not fetch it again. There is one for an image at most, however often
 * it fails.
 *
 * @param leases where leases are
 * @param time the clock
 */
record Remains(LeaseStore leases, Time time) {
  private static final Duration KEPT = Duration.ofHours(1);
  private static final String PREFIX = "jcontainerd-unfinished-";

  /** Keeps what a lease keeps that is about to be ended. */
  void keep(String reference, String lease) {
    List<Lease.Resource> resources = leases.listResources(lease);
    if (resources.isEmpty()) {
      return;
    }
    drop(reference);
    String id = id(reference);
    try {
      String expires = time.now().plus(KEPT).toString();
      Lease _ = leases.create(id, Map.of("containerd.io/gc.expire", expires));
    } catch (AlreadyExistsException _) {
      // of another that failed at this moment: both use it
    }
    resources.forEach(resource -> leases.addResource(id, resource));
  }

  /** The image is here: nothing has to be kept. */
  void drop(String reference) {
    try {
      leases.delete(id(reference), false);
    } catch (NotFoundException _) {
      // there was no failure
    }
  }

  private static String id(String reference) {
    return PREFIX
        + Digest.sha256(reference.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32);
  }
}
