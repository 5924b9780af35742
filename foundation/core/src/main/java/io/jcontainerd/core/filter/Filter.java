package io.jcontainerd.core.filter;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;

/**
 * A condition on the fields of an object, as clients write it in {@code List} calls. Immutable and
 * safe for use by many threads; matching takes time linear in the length of the values.
 */
@FunctionalInterface
public interface Filter {
  /** The filter that everything passes. */
  Filter ALL = _ -> true;

  /** Whether the object with these fields passes. */
  boolean matches(Fields fields);

  /**
   * What a table can be asked before objects are looked at: whatever passes has all values of at
   * least one of these lists. An empty list of values among them says nothing.
   */
  default List<List<Needed>> needs() {
    return List.of(List.of());
  }

  /** A value that must be at a path, exactly. */
  record Needed(List<String> path, String value) {
    /** Copies the path. */
    public Needed {
      path = List.copyOf(path);
    }
  }

  /**
   * Parses one filter. The empty string is {@link #ALL}.
   *
   * @throws InvalidArgumentException on a syntax error, with the text {@code filters: parse error:
   *     [before >|c|< after]: reason}
   */
  static Filter parse(String text) {
    if (text.isEmpty()) {
      return ALL;
    }
    return new AllOf(new FilterParser(text).parse());
  }

  /**
   * Parses the filters of one call, of which one must hold. No filter at all is {@link #ALL}.
   *
   * @throws InvalidArgumentException on a syntax error in any of them
   */
  static Filter any(List<String> texts) {
    if (texts.isEmpty()) {
      return ALL;
    }
    List<Filter> filters = texts.stream().map(Filter::parse).toList();
    return filters.contains(ALL) ? ALL : new OneOf(filters);
  }
}
