package io.jcontainerd.metadata;

import io.jcontainerd.core.filter.Filter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The part of a filter that a table answers, so that rows that cannot pass never become objects.
 * Whoever uses it still asks the filter: rows come that do not pass, but none that passes is
 * missing.
 *
 * @param condition to be appended to a WHERE clause; empty if the table has nothing to say
 * @param arguments for its parameters
 */
record Narrowing(String condition, List<Object> arguments) {
  private static final Narrowing NONE = new Narrowing("", List.of());

  /** With more parameters than this the statement costs more than it saves. */
  private static final int MOST_ARGUMENTS = 32;

  Narrowing {
    arguments = List.copyOf(arguments);
  }

  /**
   * Asks of a filter what the columns know.
   *
   * @param columns those that hold a field as it is, by the path of the field
   * @param texts those that hold a map as {@link LabelText}, by the field's first component
   */
  static Narrowing of(Filter filter, Map<List<String>, String> columns, Map<String, String> texts) {
    List<String> alternatives = new ArrayList<>();
    List<Object> arguments = new ArrayList<>();
    for (List<Filter.Needed> needs : filter.needs()) {
      List<String> terms = new ArrayList<>();
      for (Filter.Needed need : needs) {
        term(need, columns, texts, arguments).ifPresent(terms::add);
      }
      if (terms.isEmpty()) {
        return NONE; // anything may pass by this alternative
      }
      alternatives.add("(" + String.join(" AND ", terms) + ")");
    }
    return arguments.size() > MOST_ARGUMENTS
        ? NONE
        : new Narrowing(" AND (" + String.join(" OR ", alternatives) + ")", arguments);
  }

  private static Optional<String> term(
      Filter.Needed need,
      Map<List<String>, String> columns,
      Map<String, String> texts,
      List<Object> arguments) {
    if (!isPlain(need)) {
      return Optional.empty();
    }
    String column = columns.get(need.path());
    if (column != null) {
      arguments.add(need.value());
      return Optional.of(column + " = ?");
    }
    String text = texts.get(need.path().getFirst());
    if (text != null && need.path().size() > 1) {
      String key = String.join(".", need.path().subList(1, need.path().size()));
      arguments.add(LabelText.write(Map.of(key, need.value())));
      return Optional.of("instr(" + text + ", ?) > 0");
    }
    return Optional.empty();
  }

  /** What SQLite may compare otherwise than Java does is left to Java. */
  private static boolean isPlain(Filter.Needed need) {
    return Stream.concat(need.path().stream(), Stream.of(need.value()))
        .flatMapToInt(String::chars)
        .allMatch(c -> c >= ' ' && !Character.isSurrogate((char) c));
  }

  /** The arguments behind those that come before. */
  Object[] after(Object... before) {
    return Stream.concat(Stream.of(before), arguments.stream()).toArray();
  }
}
