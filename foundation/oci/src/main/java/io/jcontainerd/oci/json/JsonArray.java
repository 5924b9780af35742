package io.jcontainerd.oci.json;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A JSON array.
 *
 * @param values its elements in order
 */
public record JsonArray(List<Json> values) implements Json {
  /** The array without elements. */
  public static final JsonArray EMPTY = new JsonArray(List.of());

  /** Copies the list. */
  public JsonArray {
    values = List.copyOf(values);
  }

  /** An array of strings. */
  public static JsonArray ofStrings(Collection<String> texts) {
    return new JsonArray(texts.stream().map(Json::of).map(Json.class::cast).toList());
  }

  /** An array of the given elements, each turned into JSON. */
  public static <T> JsonArray of(Collection<T> elements, Function<? super T, ? extends Json> json) {
    return new JsonArray(elements.stream().<Json>map(json).toList());
  }

  /** Each element as an object. */
  public List<JsonObject> objects() {
    return values.stream()
        .map(
            v ->
                v.asObject()
                    .orElseThrow(
                        () ->
                            new InvalidArgumentException(
                                "json array: expected objects, found " + v.kind())))
        .toList();
  }

  /** Each element as a string. */
  public List<String> strings() {
    return values.stream()
        .map(
            v ->
                v.asString()
                    .orElseThrow(
                        () ->
                            new InvalidArgumentException(
                                "json array: expected strings, found " + v.kind())))
        .toList();
  }

  /** This array with one more element at its end. */
  public JsonArray plus(Json value) {
    List<Json> more = new ArrayList<>(values);
    more.add(value);
    return new JsonArray(more);
  }

  /** This array without the elements that match. */
  public JsonArray without(Predicate<Json> unwanted) {
    return new JsonArray(values.stream().filter(unwanted.negate()).toList());
  }

  /** This array with every element replaced. */
  public JsonArray map(UnaryOperator<Json> change) {
    return new JsonArray(values.stream().map(change).toList());
  }

  @Override
  public String toString() {
    return toText();
  }
}
