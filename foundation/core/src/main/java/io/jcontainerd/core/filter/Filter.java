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
   * Parses one filter. The empty string is {@link #ALL}.
   *
   * @throws InvalidArgumentException on a syntax error, with the text {@code filters: parse error:
   *     [before >|c|< after]: reason}
   */
  static Filter parse(String text) {
    if (text.isEmpty()) {
      return ALL;
    }
    List<Selector> selectors = new FilterParser(text).parse();
    return fields -> selectors.stream().allMatch(selector -> selector.matches(fields));
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
    return filters.contains(ALL)
        ? ALL
        : fields -> filters.stream().anyMatch(filter -> filter.matches(fields));
  }
}
