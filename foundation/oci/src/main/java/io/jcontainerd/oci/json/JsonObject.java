package io.jcontainerd.oci.json;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A JSON object. The order of its fields is kept.
 *
 * <p>The {@code with…} and {@code patch} methods return a changed copy; a field that is replaced
 * keeps its place, a new one goes to the end. The typed readers answer empty for a field that is
 * absent or null and fail with the field's name when it has another type.
 *
 * @param fields the fields in order
 */
public record JsonObject(Map<String, Json> fields) implements Json {
  /** The object without fields. */
  public static final JsonObject EMPTY = new JsonObject(Map.of());

  /** Copies the map with its order. */
  public JsonObject {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /**
   * Reads one document that must be an object.
   *
   * @throws InvalidArgumentException when it is not JSON or another kind of value
   */
  public static JsonObject parse(byte[] bytes) {
    Json json = Json.parse(bytes);
    return json.asObject()
        .orElseThrow(
            () -> new InvalidArgumentException("json: expected an object, found " + json.kind()));
  }

  /** Reads one document that must be an object; see {@link #parse(byte[])}. */
  public static JsonObject parse(String text) {
    Json json = Json.parse(text);
    return json.asObject()
        .orElseThrow(
            () -> new InvalidArgumentException("json: expected an object, found " + json.kind()));
  }

  /** An object whose fields are all strings, in order of their names: equal maps, equal bytes. */
  public static JsonObject ofStrings(Map<String, String> texts) {
    Map<String, Json> fields = new LinkedHashMap<>();
    new TreeMap<>(texts).forEach((name, text) -> fields.put(name, Json.of(text)));
    return new JsonObject(fields);
  }

  /** True when there is no field. */
  public boolean isEmpty() {
    return fields.isEmpty();
  }

  /** The field, which may be {@link JsonNull}. */
  public Optional<Json> field(String name) {
    return Optional.ofNullable(fields.get(name));
  }

  /** The value at the end of a path of object fields, when all of them are there. */
  public Optional<Json> at(String... path) {
    Json here = this;
    for (String name : path) {
      Json next = here instanceof JsonObject object ? object.fields.get(name) : null;
      if (next == null) {
        return Optional.empty();
      }
      here = next;
    }
    return Optional.of(here);
  }

  /** The field as an object. */
  public Optional<JsonObject> object(String name) {
    return typed(name, JsonObject.class, "an object");
  }

  /** The field as an array. */
  public Optional<JsonArray> array(String name) {
    return typed(name, JsonArray.class, "an array");
  }

  /** The field as a string. */
  public Optional<String> string(String name) {
    return typed(name, JsonString.class, "a string").map(JsonString::value);
  }

  /** The field as a truth value, false when absent. */
  public boolean flag(String name) {
    return typed(name, JsonBoolean.class, "a boolean").map(JsonBoolean::value).orElse(false);
  }

  /** The field as a number. */
  public Optional<JsonNumber> number(String name) {
    return typed(name, JsonNumber.class, "a number");
  }

  /** The field as a 64-bit integer. */
  public OptionalLong integer(String name) {
    Optional<JsonNumber> number = number(name);
    return number.isPresent() ? OptionalLong.of(number.get().longValue()) : OptionalLong.empty();
  }

  /** The objects of an array field; empty when absent. */
  public List<JsonObject> objects(String name) {
    return array(name).map(JsonArray::objects).orElse(List.of());
  }

  /** The strings of an array field; empty when absent. */
  public List<String> strings(String name) {
    return array(name).map(JsonArray::strings).orElse(List.of());
  }

  /** The string fields of an object field; empty when absent. */
  public Map<String, String> stringMap(String name) {
    Map<String, String> result = new LinkedHashMap<>();
    object(name)
        .ifPresent(
            object -> {
              for (String key : object.fields.keySet()) {
                object.string(key).ifPresent(value -> result.put(key, value));
              }
            });
    return Collections.unmodifiableMap(result);
  }

  /** This object with the field set. */
  public JsonObject with(String name, Json value) {
    Map<String, Json> changed = new LinkedHashMap<>(fields);
    changed.put(name, value);
    return new JsonObject(changed);
  }

  /** This object with the field set to a string. */
  public JsonObject with(String name, String value) {
    return with(name, Json.of(value));
  }

  /** This object with the field set to a number. */
  public JsonObject with(String name, long value) {
    return with(name, Json.of(value));
  }

  /** This object with the field set to a truth value. */
  public JsonObject with(String name, boolean value) {
    return with(name, Json.of(value));
  }

  /** This object without the field. */
  public JsonObject without(String name) {
    if (!fields.containsKey(name)) {
      return this;
    }
    Map<String, Json> changed = new LinkedHashMap<>(fields);
    changed.remove(name);
    return new JsonObject(changed);
  }

  /**
   * This object with the value at a path set; objects on the way are made when absent or null.
   *
   * @throws InvalidArgumentException when something on the way is neither object nor null
   */
  public JsonObject withAt(List<String> path, Json value) {
    return patch(path.subList(0, path.size() - 1), o -> o.with(path.getLast(), value));
  }

  /** This object without the value at a path; the same when it is not there. */
  public JsonObject withoutAt(List<String> path) {
    String[] parent = path.subList(0, path.size() - 1).toArray(String[]::new);
    return at(parent).flatMap(Json::asObject).isEmpty()
        ? this
        : patch(path.subList(0, path.size() - 1), o -> o.without(path.getLast()));
  }

  /**
   * This object with the object at a path replaced by what {@code change} makes of it; it is empty
   * when it was absent or null.
   *
   * @throws InvalidArgumentException when something on the way is neither object nor null
   */
  public JsonObject patch(List<String> path, UnaryOperator<JsonObject> change) {
    if (path.isEmpty()) {
      return change.apply(this);
    }
    String name = path.getFirst();
    JsonObject inner = object(name).orElse(EMPTY);
    return with(name, inner.patch(path.subList(1, path.size()), change));
  }

  private <T extends Json> Optional<T> typed(String name, Class<T> type, String wanted) {
    Json value = fields.get(name);
    if (value == null || value instanceof JsonNull) {
      return Optional.empty();
    }
    if (!type.isInstance(value)) {
      throw new InvalidArgumentException(
          "json field " + name + ": expected " + wanted + ", found " + value.kind());
    }
    return Optional.of(type.cast(value));
  }

  @Override
  public String toString() {
    return toText();
  }
}
