package io.jcontainerd.selfcheck;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.store.Schema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What is remembered of layers, rounds and runs. Safe for many threads. */
final class States {
  static final Schema SCHEMA =
      new Schema(
          "selfcheck",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE selfcheck_layers(snapshotter TEXT NOT NULL, key TEXT NOT NULL,"
                      + " state INTEGER NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,"
                      + " PRIMARY KEY(snapshotter, key)) WITHOUT ROWID",
                  "CREATE TABLE selfcheck_looked(kind TEXT NOT NULL, name TEXT NOT NULL,"
                      + " at INTEGER NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID",
                  "CREATE TABLE selfcheck_rounds(id INTEGER PRIMARY KEY, began INTEGER NOT NULL,"
                      + " ended INTEGER NOT NULL)",
                  "INSERT INTO selfcheck_rounds VALUES (1, 0, 0)",
                  "CREATE TABLE selfcheck_runs(id INTEGER PRIMARY KEY, boot TEXT NOT NULL,"
                      + " began INTEGER NOT NULL, clean INTEGER NOT NULL)",
                  "INSERT INTO selfcheck_runs VALUES (1, '', 0, 1)")));

  private static final int SUSPECT = 1;
  private static final String CURSOR = "last blob";

  /**
   * Why a layer is not simply used.
   *
   * @param suspect whether it is only to be looked at first; else it was found damaged
   * @param reason for people
   */
  record Doubt(boolean suspect, String reason) {}

  /** The last run of the daemon. */
  record Run(String boot, Instant began, boolean clean) {}

  /** A round of the scrub; either time is the epoch if it never was. */
  record Round(Instant began, Instant ended) {}

  private final Store store;
  private final Time time;
  private final Map<LayerName, Doubt> doubts = new ConcurrentHashMap<>();

  States(Store store, Time time) {
    this.store = store;
    this.time = time;
    doubts.putAll(
        read(
            tx -> {
              Map<LayerName, Doubt> found = new HashMap<>();
              tx.each(
                  "SELECT snapshotter, key, state, reason FROM selfcheck_layers",
                  row ->
                      found.put(
                          new LayerName(row.text(0), row.text(1)),
                          new Doubt(row.number(2) == SUSPECT, row.text(3))));
              return found;
            }));
  }

  private <T> T read(Store.Read<T> body) {
    try {
      return store.read(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  private void write(Store.Write<Boolean> body) {
    try {
      store.write(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  private static ContainerdException failure(StoreException e) {
    String message = "self-check: " + e.getMessage();
    return switch (e.kind()) {
      case FULL -> new ResourceExhaustedException(message, e);
      case CORRUPT -> new DataLossException(message, e);
      case INTERRUPTED -> new CancelledException(message, e);
      case LOCKED, CLOSED, BUSY, BROKEN, TOO_NEW -> new UnavailableException(message, e);
      case EVENTS_LOST, STATEMENT -> new InternalException(message, e);
    };
  }

  private long now() {
    return millis(time.now());
  }

  private static long millis(Instant time) {
    return time.toEpochMilli();
  }

  // ---- layers ----

  boolean noDoubts() {
    return doubts.isEmpty();
  }

  Optional<Doubt> doubt(LayerName layer) {
    return Optional.ofNullable(doubts.get(layer));
  }

  Map<LayerName, Doubt> doubts() {
    return Map.copyOf(doubts);
  }

  void suspect(Collection<LayerName> layers, String reason) {
    doubt(layers, new Doubt(true, reason));
  }

  void quarantine(LayerName layer, String reason) {
    doubt(List.of(layer), new Doubt(false, reason));
  }

  /** In memory first: what cannot be written down counts all the same. */
  private void doubt(Collection<LayerName> layers, Doubt doubt) {
    layers.forEach(layer -> doubts.put(layer, doubt));
    write(
        tx -> {
          for (LayerName layer : layers) {
            tx.update(
                "INSERT OR REPLACE INTO selfcheck_layers VALUES (?, ?, ?, ?, ?)",
                layer.snapshotter(),
                layer.key(),
                doubt.suspect() ? SUSPECT : SUSPECT + 1,
                doubt.reason(),
                now());
          }
          return true;
        });
  }

  void clear(LayerName layer) {
    clear(List.of(layer));
  }

  void clear(Collection<LayerName> layers) {
    List<LayerName> known = layers.stream().filter(doubts::containsKey).toList();
    if (known.isEmpty()) {
      return;
    }
    write(
        tx -> {
          for (LayerName layer : known) {
            tx.update(
                "DELETE FROM selfcheck_layers WHERE snapshotter = ? AND key = ?",
                layer.snapshotter(),
                layer.key());
          }
          return true;
        });
    known.forEach(doubts::remove);
  }

  // ---- the scrub ----

  Round round() {
    return read(
        tx ->
            tx.first(
                    "SELECT began, ended FROM selfcheck_rounds WHERE id = 1",
                    row ->
                        new Round(
                            Instant.ofEpochMilli(row.number(0)),
                            Instant.ofEpochMilli(row.number(1))))
                .orElse(new Round(Instant.EPOCH, Instant.EPOCH)));
  }

  /** Begins a round, with nothing looked at. */
  void beginRound() {
    write(
        tx -> {
          tx.update("UPDATE selfcheck_rounds SET began = ? WHERE id = 1", now());
          tx.update("DELETE FROM selfcheck_looked");
          return true;
        });
  }

  void endRound() {
    write(
        tx -> {
          tx.update("UPDATE selfcheck_rounds SET ended = ? WHERE id = 1", now());
          return true;
        });
  }

  /** Whether a round was begun and not ended. */
  boolean inRound() {
    Round round = round();
    return round.began().isAfter(round.ended());
  }

  /** The blob that was looked at last in this round; empty if none was. */
  String cursor() {
    return read(
        tx ->
            tx.first("SELECT name FROM selfcheck_looked WHERE kind = ?", row -> row.text(0), CURSOR)
                .orElse(""));
  }

  void cursor(String digest) {
    write(
        tx -> {
          tx.update("DELETE FROM selfcheck_looked WHERE kind = ?", CURSOR);
          tx.update("INSERT INTO selfcheck_looked VALUES (?, ?, ?)", CURSOR, digest, now());
          return true;
        });
  }

  /** What was looked at in this round, as {@code KIND NAME}. */
  Set<String> looked() {
    return read(
        tx -> {
          var all = new HashSet<String>();
          tx.each(
              "SELECT kind, name FROM selfcheck_looked",
              row -> all.add(row.text(0) + " " + row.text(1)));
          return all;
        });
  }

  void looked(String kind, Collection<String> names) {
    write(
        tx -> {
          for (String name : names) {
            tx.update(
                "INSERT OR REPLACE INTO selfcheck_looked VALUES (?, ?, ?)", kind, name, now());
          }
          return true;
        });
  }

  // ---- runs ----

  Run lastRun() {
    return read(
        tx ->
            tx.first(
                    "SELECT boot, began, clean FROM selfcheck_runs WHERE id = 1",
                    row ->
                        new Run(
                            row.text(0), Instant.ofEpochMilli(row.number(1)), row.number(2) != 0))
                .orElse(new Run("", Instant.EPOCH, true)));
  }

  void beginRun(String boot) {
    write(
        tx -> {
          tx.update(
              "UPDATE selfcheck_runs SET began = ?, boot = ?, clean = 0 WHERE id = 1", now(), boot);
          return true;
        });
  }

  void endRun() {
    write(
        tx -> {
          tx.update("UPDATE selfcheck_runs SET clean = 1 WHERE id = 1");
          return true;
        });
  }

  static boolean due(Instant since, Duration interval, Instant now) {
    return !since.plus(interval).isAfter(now);
  }
}
