package io.jcontainerd.registry.hosts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.words.Nearest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * A table of a TOML file, read key by key. What is wrong becomes a line that names file, line and
 * key, and the value is as if absent.
 */
final class TomlSection {
  private final String source;
  private final List<String> path;
  private final TomlTable table;
  private final List<String> errors;

  TomlSection(String source, List<String> path, TomlTable table, List<String> errors) {
    this.source = source;
    this.path = path;
    this.table = table;
    this.errors = errors;
  }

  /** One warning for each key that is not among these. */
  List<String> unknown(Collection<String> known) {
    return keys().stream()
        .filter(key -> !known.contains(key))
        .map(
            key ->
                place(key)
                    + ": unknown key, it is ignored"
                    + Nearest.to(key, known).map(near -> "; did you mean " + near + "?").orElse(""))
        .toList();
  }

  /** The keys in the order of the file. */
  List<String> keys() {
    return table.keySet().stream()
        .sorted(Comparator.comparingInt((String key) -> line(key)).thenComparingInt(this::column))
        .toList();
  }

  Optional<String> string(String key) {
    return typed(key, String.class, "a string");
  }

  Optional<Boolean> flag(String key) {
    return typed(key, Boolean.class, "true or false");
  }

  /** A string that means something. */
  <T> Optional<T> parsed(String key, Function<String, T> meaning) {
    return string(key).filter(text -> !text.isEmpty()).flatMap(text -> meaning(key, text, meaning));
  }

  /** A list of strings that mean something. */
  <T> List<T> parsedList(String key, Function<String, T> meaning) {
    List<T> values = new ArrayList<>();
    for (String text : strings(key, false)) {
      meaning(key, text, meaning).ifPresent(values::add);
    }
    return values;
  }

  private <T> Optional<T> meaning(String key, String text, Function<String, T> meaning) {
    try {
      return Optional.of(meaning.apply(text));
    } catch (InvalidArgumentException e) {
      errors.add(place(key) + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** A list of strings, or, where that is allowed, one string alone. */
  List<String> strings(String key, boolean orOne) {
    Object value = get(key);
    if (value instanceof String one && orOne) {
      return List.of(one);
    }
    String wanted = orOne ? "a string or a list of strings" : "a list of strings";
    if (value instanceof TomlArray array) {
      List<String> all = new ArrayList<>();
      for (Object element : array.toList()) {
        if (!(element instanceof String text)) {
          wrong(key, wanted, element);
          return List.of();
        }
        all.add(text);
      }
      return all;
    }
    if (value != null) {
      wrong(key, wanted, value);
    }
    return List.of();
  }

  /** A string, a list of strings, or a list of pairs of strings; each becomes a list. */
  List<List<String>> stringsOrPairs(String key) {
    Object value = get(key);
    if (!(value instanceof TomlArray array)
        || array.toList().stream().noneMatch(TomlArray.class::isInstance)) {
      return strings(key, true).stream().map(List::of).toList();
    }
    List<List<String>> all = new ArrayList<>();
    for (Object element : array.toList()) {
      List<?> pair = element instanceof TomlArray inner ? inner.toList() : List.of();
      if (pair.size() != 2 || !pair.stream().allMatch(String.class::isInstance)) {
        errors.add(place(key) + ": a list in it must be [certificate, key]");
        return List.of();
      }
      all.add(pair.stream().map(String.class::cast).toList());
    }
    return all;
  }

  /** A table whose values are strings or lists of them. */
  Map<String, List<String>> stringLists(String key) {
    Map<String, List<String>> all = new LinkedHashMap<>();
    section(key)
        .ifPresent(inner -> inner.keys().forEach(name -> all.put(name, inner.strings(name, true))));
    return all;
  }

  Optional<TomlSection> section(String key) {
    return typed(key, TomlTable.class, "a table")
        .map(inner -> new TomlSection(source, below(key), inner, errors));
  }

  private <T> Optional<T> typed(String key, Class<T> type, String wanted) {
    Object value = get(key);
    if (value == null || type.isInstance(value)) {
      return Optional.ofNullable(type.cast(value));
    }
    wrong(key, wanted, value);
    return Optional.empty();
  }

  private @Nullable Object get(String key) {
    return table.get(List.of(key));
  }

  private void wrong(String key, String wanted, Object found) {
    errors.add(place(key) + ": must be " + wanted + ", is " + kind(found));
  }

  private static String kind(Object value) {
    return switch (value) {
      case String _ -> "a string";
      case Boolean _ -> "a truth value";
      case Long _, Double _ -> "a number";
      case TomlArray _ -> "a list";
      case TomlTable _ -> "a table";
      default -> "a time";
    };
  }

  /** File, line and key, for messages. */
  String place(String key) {
    int line = line(key);
    return source
        + (line > 0 ? " line " + line : "")
        + ": "
        + below(key).stream().map(TomlSection::quoted).collect(Collectors.joining("."));
  }

  private List<String> below(String key) {
    List<String> all = new ArrayList<>(path);
    all.add(key);
    return List.copyOf(all);
  }

  private static String quoted(String part) {
    return part.matches("[A-Za-z0-9_-]+") ? part : "\"" + part + "\"";
  }

  private int line(String key) {
    TomlPosition position = table.inputPositionOf(List.of(key));
    return position == null ? 0 : position.line();
  }

  private int column(String key) {
    TomlPosition position = table.inputPositionOf(List.of(key));
    return position == null ? 0 : position.column();
  }
}
