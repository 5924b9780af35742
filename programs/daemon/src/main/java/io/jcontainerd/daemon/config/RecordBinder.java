package io.jcontainerd.daemon.config;

import io.jcontainerd.core.words.Durations;
import io.jcontainerd.core.words.Nearest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Turns tables into records and back.
 *
 * <p>The record is the schema: a component {@code maxRecvMessageSize} is the key {@code
 * max_recv_message_size}, its type says what may stand there, and an instance of the record holds
 * the defaults. A record that stands inside a list or a map has a static method {@code defaults()}.
 * An unknown key is a warning that names the nearest known one; a value of the wrong type or one
 * that the record refuses is an error.
 */
final class RecordBinder {
  private final Findings findings;
  private final Function<List<String>, String> places;

  /** {@code places} says where the key at a path stands, for messages. */
  RecordBinder(Findings findings, Function<List<String>, String> places) {
    this.findings = findings;
    this.places = places;
  }

  /** {@code defaults} with everything replaced that {@code table} says otherwise. */
  <R extends Record> R bind(R defaults, Map<String, ?> table, List<String> path) {
    @SuppressWarnings("unchecked")
    var type = (Class<R>) defaults.getClass();
    RecordComponent[] components = type.getRecordComponents();
    var known = new LinkedHashMap<String, RecordComponent>();
    for (RecordComponent component : components) {
      known.put(key(component), component);
    }
    for (String key : table.keySet()) {
      if (!known.containsKey(key)) {
        unknown(key, known.keySet().stream().toList(), path);
      }
    }
    Object[] values = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      Object fallback = read(component, defaults);
      Object given = table.get(key(component));
      values[i] =
          given == null
              ? fallback
              : value(component.getGenericType(), fallback, given, below(path, key(component)));
      types[i] = component.getType();
    }
    try {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      Throwable refusal = e.getCause() == null ? e : e.getCause();
      String reason = String.valueOf(refusal.getMessage());
      String at = path.isEmpty() ? "" : name(path) + ": ";
      findings.error(places.apply(path) + ": " + at + reason);
      return defaults;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("settings record " + type.getName(), e);
    }
  }

  void unknown(String key, List<String> known, List<String> path) {
    List<String> at = below(path, key);
    String hint = Nearest.to(key, known).map(near -> ", did you mean " + near + "?").orElse("");
    findings.warn(places.apply(at) + ": unknown key " + name(at) + " ignored" + hint);
  }

  private Object value(Type type, Object fallback, Object given, List<String> path) {
    Optional<?> bound =
        switch (type) {
          case Class<?> c when c == String.class -> as(given, String.class);
          case Class<?> c when c == boolean.class -> as(given, Boolean.class);
          case Class<?> c when c == long.class -> as(given, Long.class);
          case Class<?> c when c == int.class ->
              as(given, Long.class).filter(n -> n.intValue() == n).map(Long::intValue);
          case Class<?> c when c == double.class ->
              given instanceof Number n ? Optional.of(n.doubleValue()) : Optional.empty();
          case Class<?> c when c == Duration.class ->
              as(given, String.class).flatMap(Durations::parse);
          case Class<?> c when c.isRecord() ->
              table(given).map(inner -> bind((Record) fallback, inner, path));
          case ParameterizedType p when p.getRawType() == List.class ->
              list(argument(p, 0), given, path);
          case ParameterizedType p when p.getRawType() == Map.class ->
              table(given).map(inner -> map(argument(p, 1), (Map<?, ?>) fallback, inner, path));
          default -> throw new IllegalStateException("no configuration can hold a " + type);
        };
    if (bound.isPresent()) {
      return bound.get();
    }
    findings.error(
        places.apply(path) + ": " + name(path) + " must be " + describe(type) + ", not " + given);
    return fallback;
  }

  private Optional<List<Object>> list(Type element, Object given, List<String> path) {
    if (!(given instanceof List<?> items)) {
      return Optional.empty();
    }
    var bound = new ArrayList<Object>();
    for (Object item : items) {
      if (element instanceof Class<?> c && c.isRecord()) {
        Optional<Map<String, Object>> table = table(item);
        if (table.isEmpty()) {
          return Optional.empty();
        }
        bound.add(bind(defaultsOf(c), table.get(), path));
      } else if (element == String.class && item instanceof String) {
        bound.add(item);
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(List.copyOf(bound));
  }

  private Map<String, Object> map(
      Type element, Map<?, ?> fallback, Map<String, Object> given, List<String> path) {
    var bound = new LinkedHashMap<String, Object>();
    fallback.forEach((key, value) -> bound.put(String.valueOf(key), value));
    given.forEach(
        (key, item) -> {
          if (element == Object.class) {
            bound.put(key, item);
            return;
          }
          Object start =
              element instanceof Class<?> c && c.isRecord() ? defaultsOf(c) : emptyOf(element);
          bound.put(key, value(element, start, item, below(path, key)));
        });
    return bound;
  }

  private static Object emptyOf(Type type) {
    return type == String.class ? "" : type == Duration.class ? Duration.ZERO : List.of();
  }

  private static Record defaultsOf(Class<?> type) {
    try {
      var method = type.getDeclaredMethod("defaults");
      method.setAccessible(true);
      return (Record) method.invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("settings record without defaults(): " + type.getName(), e);
    }
  }

  private static <T> Optional<T> as(Object given, Class<T> type) {
    return type.isInstance(given) ? Optional.of(type.cast(given)) : Optional.empty();
  }

  @SuppressWarnings("unchecked")
  static Optional<Map<String, Object>> table(Object given) {
    return given instanceof Map<?, ?> map
        ? Optional.of((Map<String, Object>) map)
        : Optional.empty();
  }

  private static Type argument(ParameterizedType type, int index) {
    return type.getActualTypeArguments()[index];
  }

  private static String describe(Type type) {
    return switch (type) {
      case Class<?> c when c == String.class -> "a string";
      case Class<?> c when c == boolean.class -> "true or false";
      case Class<?> c when c == long.class || c == int.class -> "a whole number";
      case Class<?> c when c == double.class -> "a number";
      case Class<?> c when c == Duration.class -> "a duration such as \"1m30s\"";
      case ParameterizedType p when p.getRawType() == List.class ->
          argument(p, 0) == String.class ? "a list of strings" : "a list of tables";
      default -> "a table";
    };
  }

  /** The table that {@link #bind} reads back as {@code settings}. */
  static Map<String, Object> unbind(Record settings) {
    var table = new LinkedHashMap<String, Object>();
    for (RecordComponent component : settings.getClass().getRecordComponents()) {
      table.put(key(component), plain(read(component, settings)));
    }
    return table;
  }

  private static Object plain(Object value) {
    return switch (value) {
      case Record inner -> unbind(inner);
      case Duration duration -> Durations.format(duration);
      case Integer number -> (long) number;
      case List<?> list -> list.stream().map(RecordBinder::plain).toList();
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, Object>();
        map.forEach((key, inner) -> copy.put(String.valueOf(key), plain(inner)));
        yield copy;
      }
      default -> value;
    };
  }

  private static Object read(RecordComponent component, Record from) {
    try {
      var accessor = component.getAccessor();
      accessor.setAccessible(true);
      return accessor.invoke(from);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("settings component " + component, e);
    }
  }

  /**
   * {@code syncFs} is {@code sync_fs}; a last underscore frees a Java keyword: {@code default_}.
   */
  static String key(RecordComponent component) {
    var key = new StringBuilder();
    String name = component.getName();
    for (char c :
        (name.endsWith("_") ? name.substring(0, name.length() - 1) : name).toCharArray()) {
      if (Character.isUpperCase(c)) {
        key.append('_');
      }
      key.append(c);
    }
    return key.toString().toLowerCase(Locale.ROOT);
  }

  private static List<String> below(List<String> path, String key) {
    var inner = new ArrayList<>(path);
    inner.add(key);
    return List.copyOf(inner);
  }

  /** A path as a user would write it: {@code plugins."io.containerd.gc.v1.scheduler".pause}. */
  static String name(List<String> path) {
    return String.join(
        ".",
        path.stream()
            .map(key -> key.chars().allMatch(RecordBinder::bare) ? key : '"' + key + '"')
            .toList());
  }

  private static boolean bare(int c) {
    return c < 128 && (Character.isLetterOrDigit(c) || c == '_' || c == '-');
  }
}
