package io.jcontainerd.transfer;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.oci.image.ChainIds;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

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
  private static final String EXPIRE = "containerd.io/gc.expire";

  /** Labels of our leases: which image they are for, and which process knows of them. */
  private static final String OF = "jcontainerd.io/transfer";

  private static final String BY = "jcontainerd.io/process";
  private static final String PROCESS = UUID.randomUUID().toString();
  private static final String PREFIX = "jcontainerd-unfinished-";

  /** Keeps what a lease keeps that is about to be ended. */
  void keep(String reference, String lease) {
    List<Lease.Resource> resources = leases.listResources(lease);
    if (resources.isEmpty()) {
      return;
    }
    String id = id(reference);
    end(id);
    try {
      String expires = time.now().plus(KEPT).toString();
      Lease _ = leases.create(id, Map.of(EXPIRE, expires));
    } catch (AlreadyExistsException _) {
      // of another that failed at this moment: both use it
    }
    resources.forEach(resource -> leases.addResource(id, resource));
  }

  /**
   * A lease for a transfer, which ends by itself should we not live to end it. It keeps what
   * transfers of the same image had brought whose process was killed, but not the trees that they
   * were about to unpack: these are of no use to anybody.
   */
  String grant(String reference, Duration longest) {
    String expires = time.now().plus(longest).toString();
    String granted =
        leases.create("", Map.of(EXPIRE, expires, OF, id(reference), BY, PROCESS)).id();
    List<Lease> killed =
        leases.list(Filter.ALL).stream().filter(lease -> isOfKilled(lease, reference)).toList();
    boolean whole = false;
    try {
      killed.forEach(lease -> takeOver(lease, granted));
      whole = true;
    } finally {
      if (!whole) { // all of it is still kept by those it was kept by
        end(granted);
      }
    }
    killed.forEach(lease -> end(lease.id()));
    return granted;
  }

  private void takeOver(Lease lease, String granted) {
    try {
      leases.listResources(lease.id()).stream()
          .filter(resource -> !isUnfinished(resource))
          .forEach(resource -> leases.addResource(granted, resource));
    } catch (NotFoundException _) {
      // another transfer of the image has taken it over
    }
  }

  private static boolean isUnfinished(Lease.Resource resource) {
    return resource.type().startsWith("snapshots/") && ChainIds.isUnpackingKey(resource.id());
  }

  private static boolean isOfKilled(Lease lease, String reference) {
    return id(reference).equals(lease.labels().get(OF)) && !PROCESS.equals(lease.labels().get(BY));
  }

  /**
   * The image is here: nothing has to be kept of failures, nor of what was under way when an
   * earlier process was killed.
   */
  void drop(String reference) {
    String id = id(reference);
    for (Lease lease : leases.list(Filter.ALL)) {
      if (isOfKilled(lease, reference) || lease.id().equals(id)) {
        end(lease.id());
      }
    }
  }

  private void end(String id) {
    try {
      leases.delete(id, false);
    } catch (NotFoundException _) {
      // somebody else has ended it
    }
  }

  private static String id(String reference) {
    return PREFIX
        + Digest.sha256(reference.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32);
  }
}
