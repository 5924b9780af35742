package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/** A lease of a client that may have to begin anew under the same lease. */
final class Leasing {
  private static final Duration LIFE = Duration.ofHours(24);

  private final Ledger ledger;
  private final String namespace;
  private final String id;

  Leasing(Ledger ledger, String namespace, String id) {
    this.ledger = ledger;
    this.namespace = namespace;
    this.id = id;
  }

  String id() {
    return id;
  }

  /** Has it when it returns. */
  void take(Containerd client) {
    String key = Keys.lease(namespace, id);
    if (ledger.known(key).surely("held")) {
      return;
    }
    String end = Instant.now().plus(LIFE).truncatedTo(ChronoUnit.SECONDS).toString();
    ledger.begin(key, "held");
    try {
      client.leases().create(id, Map.of("containerd.io/gc.expire", end));
    } catch (AlreadyExistsException _) {
      // an earlier attempt made it
    }
    ledger.done(key);
  }

  /**
   * Gives it back. What it alone kept is promised no more from the moment of asking.
   *
   * @param sync whether to wait until what it kept is collected
   */
  void giveBack(Containerd client, boolean sync) {
    String key = Keys.lease(namespace, id);
    ledger.begin(key, "");
    try {
      client.leases().delete(id, sync);
    } catch (NotFoundException _) {
      // an earlier attempt did it
    }
    ledger.done(key);
    forget();
  }

  /** Takes back what the ledger says of things that it kept. */
  private void forget() {
    for (String kind : new String[] {"blob", "layer"}) {
      for (String key : ledger.under(kind + "|" + namespace + "|" + id + "|").keySet()) {
        ledger.settle(key, "");
      }
    }
  }
}
