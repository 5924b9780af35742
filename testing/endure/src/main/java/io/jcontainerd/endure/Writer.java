package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.endure.Gate.Session;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Writes blobs that no image has, bit by bit, and drops them again. */
final class Writer extends Worker {
  /** How many different ones there are. */
  static final int NUMBERS = 8;

  static final String NAMESPACE = "one";
  private static final int PIECE = 40_000;

  private final Model model;
  private final SplittableRandom random;

  Writer(long salt, Tools tools) {
    super("writer", tools.gate(), tools.ledger(), tools.problems());
    this.model = tools.model();
    this.random = new SplittableRandom(model.seed() - 77 - salt);
  }

  @Override
  String next() {
    return "write "
        + random.nextInt(NUMBERS)
        + " "
        + Long.toHexString(random.nextLong())
        + (random.nextBoolean() ? " now" : " later");
  }

  @Override
  void carryOut(Session session, String[] words) {
    Containerd client = session.client().in(NAMESPACE);
    byte[] bytes = model.loose(Integer.parseInt(words[1]));
    Leasing leasing = new Leasing(ledger, NAMESPACE, "write-" + words[2]);
    leasing.take(client);
    Call call = Call.in(NAMESPACE).withLease(leasing.id());
    call.run(() -> write(client, bytes, leasing.id()));
    leasing.giveBack(client, words[3].equals("now"));
  }

  private void write(Containerd client, byte[] bytes, String lease) {
    Digest digest = Digest.sha256(bytes);
    String key = Keys.ingest(NAMESPACE, "loose-" + digest);
    client.leases().addResource(lease, new Lease.Resource(digest.toString(), "content"));
    IngestRequest request = new IngestRequest("loose-" + digest, bytes.length, Optional.of(digest));
    while (client.content().find(digest).isEmpty()) {
      try (Ingest ingest = client.content().ingest(request)) {
        int at = Math.toIntExact(ingest.status().offset());
        ledger.settle(key, Integer.toString(at));
        boolean closing = false;
        while (at < bytes.length && !closing) {
          int from = at;
          int count = Math.min(PIECE, bytes.length - at);
          ledger.promise(
              key,
              Integer.toString(at + count),
              () -> ingest.write(ByteBuffer.wrap(bytes, from, count)));
          at += count;
          closing = random.nextInt(10) == 0;
        }
        if (at == bytes.length) {
          ledger.begin(key, "");
          ingest.commit(bytes.length, Optional.of(digest), Map.of());
          ledger.done(key);
        }
      }
    }
    ledger.settle(Keys.blob(NAMESPACE, lease, digest.toString()), "there");
  }
}
