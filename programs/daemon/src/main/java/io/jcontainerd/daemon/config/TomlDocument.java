package io.jcontainerd.daemon.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * A TOML file as plain values: {@code Map}, {@code List}, {@code String}, {@code Long}, {@code
 * Double}, {@code Boolean}, or one of {@code java.time} for dates.
 *
 * @param source how messages name the file
 * @param tree mutable, so that a migration can move keys about
 */
record TomlDocument(String source, Map<String, Object> tree, Map<List<String>, Integer> lines) {

  /**
   * Reads {@code text}; every syntax error becomes a finding, and what could be read is returned.
   */
  static TomlDocument parse(String source, String text, Findings findings) {
    TomlParseResult result;
    var lines = new LinkedHashMap<List<String>, Integer>();
    try {
      result = Toml.parse(text);
    } catch (StackOverflowError e) {
      findings.error(source + ": nested too deeply");
      return new TomlDocument(source, new LinkedHashMap<>(), lines);
    } catch (RuntimeException | AssertionError e) {
      // the parser throws some errors of escapes instead of collecting them
      findings.error(source + ": not readable as TOML: " + e.getMessage());
      return new TomlDocument(source, new LinkedHashMap<>(), lines);
    }
    for (TomlParseError error : result.errors()) {
      String message = String.valueOf(error.getMessage());
      findings.error(source + " line " + error.position().line() + ": " + message);
    }
    Map<String, Object> tree = table(result, List.of(), lines);
    return new TomlDocument(source, tree, lines);
  }

  /**
   * The line on which the key at {@code path} stands, if it stood in the file as it was written.
   */
  OptionalInt line(List<String> path) {
    Integer line = lines.get(path);
    return line == null ? OptionalInt.empty() : OptionalInt.of(line);
  }

  /** {@code file line 12} or, for a key that a migration has moved, {@code file}. */
  String place(List<String> path) {
    OptionalInt line = line(path);
    return line.isPresent() ? source + " line " + line.getAsInt() : source;
  }

  private static Map<String, Object> table(
      TomlTable table, List<String> path, Map<List<String>, Integer> lines) {
    var copy = new LinkedHashMap<String, Object>();
    for (String key : table.keySet()) {
      Object value = table.get(List.of(key));
      if (value == null) {
        continue;
      }
      var at = new ArrayList<>(path);
      at.add(key);
      var position = table.inputPositionOf(List.of(key));
      if (position != null) {
        lines.put(List.copyOf(at), position.line());
      }
      copy.put(key, plain(value, at, lines));
    }
    return copy;
  }

  private static Object plain(Object value, List<String> path, Map<List<String>, Integer> lines) {
    return switch (value) {
      case TomlTable table -> table(table, path, lines);
      case TomlArray array -> {
        var list = new ArrayList<Object>();
        for (int i = 0; i < array.size(); i++) {
          list.add(plain(array.get(i), path, new LinkedHashMap<>()));
        }
        yield list;
      }
      default -> value;
    };
  }
}
