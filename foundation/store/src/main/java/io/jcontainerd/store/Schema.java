package io.jcontainerd.store;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The tables of one room, as steps that lead from nothing to what the room needs now. A step that
 * was ever released is never changed or removed; changes are further steps.
 *
 * @param room who owns the tables
 * @param steps in order; the number of steps is the room's version
 * @param watched tables whose rows can be watched with {@link Store#watch}
 */
public record Schema(String room, List<Step> steps, List<Watched> watched) {
  private static final Pattern ROOM = Pattern.compile("[a-z][a-z0-9-]*");

  /** Copies the lists and refuses a name that is none. */
  public Schema {
    steps = List.copyOf(steps);
    watched = List.copyOf(watched);
    if (!ROOM.matcher(room).matches()) {
      throw new IllegalArgumentException("schema room \"" + room + "\"");
    }
  }

  /** Tables that nobody watches. */
  public Schema(String room, List<Step> steps) {
    this(room, steps, List.of());
  }

  /**
   * A table whose rows can be watched.
   *
   * @param columns that a watcher is shown
   */
  public record Watched(String table, List<String> columns) {
    /** Copies the columns. */
    public Watched {
      columns = List.copyOf(columns);
    }
  }

  /**
   * Statements that are done together.
   *
   * @param statements one SQL statement each
   */
  public record Step(List<String> statements) {
    /** Copies the statements. */
    public Step {
      statements = List.copyOf(statements);
    }

    /** A step of these statements. */
    public static Step of(String... statements) {
      return new Step(List.of(statements));
    }
  }
}
