package io.jcontainerd.store;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Brings every room's tables to what this version needs, in one transaction. */
final class Migrations {
  /** Marks a database as ours: "jcnt" in ASCII. */
  static final int APPLICATION_ID = 0x6a636e74;

  private Migrations() {}

  static void run(Session session, List<Schema> schemas, StoreOptions options) {
    Path file = session.file();
    checkOwner(session);
    Map<String, Integer> done = done(session);
    Set<String> rooms = new HashSet<>();
    boolean pending = done.isEmpty();
    for (Schema schema : schemas) {
      if (!rooms.add(schema.room())) {
        throw new IllegalArgumentException("two schemas of room " + schema.room());
      }
      int applied = done.getOrDefault(schema.room(), 0);
      if (applied > schema.steps().size()) {
        throw new StoreException(
            StoreException.Kind.TOO_NEW,
            "store %s was written by a newer version (%s is at step %d, this version knows %d): use that version"
                .formatted(file, schema.room(), applied, schema.steps().size()));
      }
      pending |= applied < schema.steps().size();
    }
    if (pending) {
      apply(session, schemas, done, options);
    }
  }

  private static void checkOwner(Session session) {
    long id = session.number("PRAGMA application_id");
    if (id == APPLICATION_ID) {
      return;
    }
    if (id != 0 || session.exists("SELECT 1 FROM sqlite_master LIMIT 1")) {
      throw foreign(session.file());
    }
  }

  static StoreException foreign(Path file) {
    return new StoreException(
        StoreException.Kind.CORRUPT,
        "store %s is another program's database and is left alone: move it away".formatted(file));
  }

  private static Map<String, Integer> done(Session session) {
    Map<String, Integer> done = new HashMap<>();
    if (session.exists("SELECT 1 FROM sqlite_master WHERE name = 'schema_steps'")) {
      session.each(
          "SELECT room, max(step) FROM schema_steps GROUP BY room",
          row -> done.put(row.text(0), (int) row.number(1)));
    }
    return done;
  }

  private static void apply(
      Session session, List<Schema> schemas, Map<String, Integer> done, StoreOptions options) {
    session.execute("BEGIN IMMEDIATE");
    try {
      if (done.isEmpty()) {
        session.execute("PRAGMA application_id=" + APPLICATION_ID);
        session.execute(
            "CREATE TABLE schema_steps(room TEXT NOT NULL, step INTEGER NOT NULL,"
                + " applied_at INTEGER NOT NULL, PRIMARY KEY(room, step)) WITHOUT ROWID");
      }
      for (Schema schema : schemas) {
        for (int i = done.getOrDefault(schema.room(), 0); i < schema.steps().size(); i++) {
          schema.steps().get(i).statements().forEach(session::execute);
          session.update(
              "INSERT INTO schema_steps(room, step, applied_at) VALUES (?, ?, ?)",
              schema.room(),
              i + 1,
              options.nanoClock().getAsLong());
        }
      }
      session.execute("COMMIT");
    } catch (StoreException e) {
      rollback(session, e);
      throw e;
    }
  }

  private static void rollback(Session session, StoreException reason) {
    try {
      session.execute("ROLLBACK");
    } catch (StoreException e) {
      reason.addSuppressed(e); // SQLite may have rolled back by itself
    }
  }
}
