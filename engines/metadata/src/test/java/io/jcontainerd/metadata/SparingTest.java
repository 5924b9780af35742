package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.SN;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.store.WriteTransaction;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What comes into use between the look at the tables and a removal is not removed. */
@Timeout(120)
class SparingTest {
  private static final int ROUNDS = 600;
  private static final String GC = "containerd.io/gc.";

  @TempDir Path folder;

  /** Writes the tables of the graph at random. */
  private static final class Scribe {
    private final Random random;
    private final Instant now;
    private final WriteTransaction tx;

    Scribe(WriteTransaction tx, Random random, Instant now) {
      this.tx = tx;
      this.random = random;
      this.now = now;
    }

    private String any(String kind) {
      return kind + random.nextInt(6);
    }

    private boolean oneIn(int count) {
      return random.nextInt(count) == 0;
    }

    private String labels() {
      Map<String, String> labels = new HashMap<>();
      while (oneIn(2)) {
        String number = "." + random.nextInt(3);
        switch (random.nextInt(13)) {
          case 0, 1 -> labels.put(GC + "ref.content" + number, any("blob"));
          case 2 -> labels.put(GC + "ref.snapshot." + SN, any("snapshot"));
          case 3 -> labels.put(GC + "bref.content" + number, any("blob"));
          case 4 -> labels.put(GC + "bref.snapshot." + SN, any("snapshot"));
          case 5 -> labels.put(GC + "bref.image", any("image"));
          case 6 -> labels.put(GC + "root", "yes");
          case 7 -> labels.put(GC + "flat", "yes");
          case 8 ->
              labels.put(
                  GC + "cond.snapshot." + SN,
                  (oneIn(2) ? "usedat<5m|" : "usedat>5m|") + any("snapshot"));
          case 9 ->
              labels.put(
                  GC + "cond.value-usedat", now.minusSeconds(oneIn(2) ? 90 : 900).toString());
          case 10 -> labels.put(GC + "ref.image", any("image"));
          case 11 -> labels.put(GC + "bref.container", any("container"));
          default -> labels.put(GC + "expire", now.plusSeconds(oneIn(2) ? 90 : -90).toString());
        }
      }
      return LabelText.write(labels);
    }

    void write() {
      switch (random.nextInt(16)) {
        case 0, 1 ->
            tx.update(
                "INSERT OR REPLACE INTO images VALUES ('ns', ?, '', ?, 1, '', ?, 0, 0)",
                any("image"),
                any("blob"),
                labels());
        case 2, 3, 4 ->
            tx.update(
                "INSERT INTO blobs VALUES ('ns', ?, 1, ?, 0, 0)"
                    + " ON CONFLICT DO UPDATE SET labels = excluded.labels",
                any("blob"),
                labels());
        case 5, 6, 7 ->
            tx.update(
                "INSERT OR REPLACE INTO snapshots VALUES ('ns', ?, ?, '', ?, 'committed', ?, 0, 0)",
                SN,
                any("snapshot"),
                oneIn(2) ? "" : any("snapshot"),
                labels());
        case 8 ->
            tx.update(
                "INSERT OR REPLACE INTO leases VALUES ('ns', ?, ?, 0)", any("lease"), labels());
        case 9 ->
            tx.update(
                "INSERT OR IGNORE INTO lease_resources VALUES ('ns', ?, ?, ?)",
                any("lease"),
                oneIn(2) ? StoredLeases.CONTENT : "snapshots/" + SN,
                any(oneIn(2) ? "blob" : "snapshot"));
        case 10 ->
            tx.update(
                "INSERT OR REPLACE INTO containers(namespace, id, image, runtime, snapshotter,"
                    + " snapshot_key, sandbox, labels, created_at, updated_at)"
                    + " VALUES ('ns', ?, '', '', ?, ?, '', ?, 0, 0)",
                any("container"),
                SN,
                any("snapshot"),
                labels());
        case 11 ->
            tx.update(
                "INSERT OR REPLACE INTO ingests VALUES ('ns', ?, ?, ?, ?)",
                any("ingest"),
                "backend" + random.nextInt(),
                oneIn(2) ? null : any("blob"),
                oneIn(2) ? null : Times.nanos(now.plusSeconds(oneIn(2) ? 90 : -90)));
        case 12 ->
            tx.update(
                "INSERT OR REPLACE INTO snapshot_commits VALUES ('ns', ?, ?, ?, ?, ?, '', NULL)",
                SN,
                any("snapshot"),
                "name" + random.nextInt(),
                "backend" + random.nextInt(),
                any("snapshot"));
        case 13 ->
            tx.update(
                "INSERT OR REPLACE INTO mounts VALUES ('ns', ?, ?, ?, ?, 0, 0)",
                any("mount"),
                random.nextInt(1_000_000),
                any("lease"),
                labels());
        case 14 ->
            tx.update(
                "INSERT OR REPLACE INTO sandboxes(namespace, id, sandboxer, runtime, labels,"
                    + " created_at, updated_at) VALUES ('ns', ?, '', '', ?, 0, 0)",
                any("sandbox"),
                labels());
        default -> remove();
      }
    }

    private void remove() {
      switch (random.nextInt(5)) {
        case 0 -> tx.update("DELETE FROM images WHERE name = ?", any("image"));
        case 1 -> tx.update("DELETE FROM leases WHERE id = ?", any("lease"));
        case 2 -> tx.update("DELETE FROM containers WHERE id = ?", any("container"));
        case 3 -> tx.update("DELETE FROM snapshots WHERE key = ?", any("snapshot"));
        default -> tx.update("DELETE FROM blobs WHERE digest = ?", any("blob"));
      }
    }
  }

  private static void clear(WriteTransaction tx) {
    for (GraphTable table : GraphTable.values()) {
      tx.update("DELETE FROM " + table.table());
    }
  }

  @Test
  void whatever_is_removed_would_be_garbage_to_one_who_looks_now() {
    Random random = new Random(20_261_127);
    int removed = 0;
    int spared = 0;
    try (Fixture f = new Fixture(folder)) {
      Instant now = f.time.now();
      Touches touches = new Touches(f.store); // the fixture's own collector has nothing to do
      for (int round = 0; round < ROUNDS; round++) {
        f.store.change(
            tx -> {
              clear(tx);
              Scribe scribe = new Scribe(tx, random, now);
              for (int i = 0; i < 40; i++) {
                scribe.write();
              }
            });
        touches.begin();
        Marking marking = f.store.read(tx -> Marking.look(tx, now));
        List<GcNode> before = marking.garbage().nodes();
        f.store.change(
            tx -> {
              Scribe scribe = new Scribe(tx, random, now);
              for (int i = random.nextInt(6); i >= 0; i--) {
                scribe.write();
              }
            });
        marking.spare(touches.take());
        Set<GcNode> inUse =
            f.store.read(
                tx -> {
                  Marking fresh = Marking.look(tx, now);
                  Set<GcNode> used = new HashSet<>(before);
                  used.removeIf(fresh::isGarbage);
                  return used;
                });
        touches.end();
        assertThat(inUse).as("round %d", round).noneMatch(marking::isGarbage);
        removed += (int) before.stream().filter(marking::isGarbage).count();
        spared += inUse.size();
      }
    }
    assertThat(removed).as("removed in all rounds").isGreaterThan(ROUNDS);
    assertThat(spared).as("came into use in all rounds").isGreaterThan(100);
  }
}
