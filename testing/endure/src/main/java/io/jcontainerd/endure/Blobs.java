package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.endure.Layer.Blob;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Brings blobs into a daemon, in pieces, under a lease. */
final class Blobs {
  private static final int PIECE = 48 << 10;
  private static final int LOCK_MILLIS = 20;
  private static final int LOCK_TRIES = 1_000;

  private final Ledger ledger;
  private final String namespace;
  private final SplittableRandom random;

  Blobs(Ledger ledger, String namespace, SplittableRandom random) {
    this.ledger = ledger;
    this.namespace = namespace;
    this.random = random;
  }

  /** Has it there when it returns, and noted. */
  void bring(Containerd client, String lease, Blob blob, Map<String, String> labels)
      throws InterruptedException {
    String digest = blob.digest().toString();
    client.leases().addResource(lease, new Lease.Resource(digest, "content"));
    if (client.content().find(blob.digest()).isEmpty()) {
      for (int i = 0; !write(client, blob, labels); i++) {
        if (i > LOCK_TRIES) {
          throw new UnavailableException("content " + digest + " stays locked");
        }
        Thread.sleep(LOCK_MILLIS); // another worker brings it
      }
    }
    ledger.settle(Keys.blob(namespace, lease, digest), "there");
  }

  /** Writes what is missing; sometimes lets go in the middle and takes it up again. */
  private boolean write(Containerd client, Blob blob, Map<String, String> labels) {
    byte[] bytes = blob.bytes();
    IngestRequest request =
        new IngestRequest("blob-" + blob.digest(), bytes.length, Optional.of(blob.digest()));
    while (true) {
      try (Ingest ingest = client.content().ingest(request)) {
        int at = Math.toIntExact(ingest.status().offset());
        int end = random.nextInt(6) == 0 ? at + (bytes.length - at) / 2 : bytes.length;
        while (at < end) {
          int count = Math.min(PIECE, end - at);
          ingest.write(ByteBuffer.wrap(bytes, at, count));
          at += count;
        }
        if (at == bytes.length) {
          ingest.commit(bytes.length, Optional.of(blob.digest()), labels);
          return true;
        }
      } catch (AlreadyExistsException _) {
        return true;
      } catch (UnavailableException e) {
        if (!String.valueOf(e.getMessage()).contains("locked")) {
          throw e;
        }
        return false;
      }
    }
  }
}
