package io.jcontainerd.core.filter;

import java.util.List;
import java.util.Optional;

/** One comparison of a filter. */
record Selector(List<String> path, Test test) {
  /** What is asked of the value at the path. */
  sealed interface Test {
    record Present() implements Test {}

    record Equal(String value) implements Test {}

    record NotEqual(String value) implements Test {}

    /** An expression that does not compile is empty here and matches nothing. */
    record Matches(Optional<Regex> expression) implements Test {}
  }

  Selector {
    path = List.copyOf(path);
  }

  boolean matches(Fields fields) {
    Optional<String> found = fields.field(path);
    return switch (test) {
      case Test.Present _ -> found.isPresent();
      case Test.Equal(var value) -> found.isPresent() && found.get().equals(value);
      case Test.NotEqual(var value) -> found.isEmpty() || !found.get().equals(value);
      case Test.Matches(var expression) ->
          found.isPresent() && expression.isPresent() && expression.get().find(found.get());
    };
  }

  /** The value that must be there, if only one will do. */
  Optional<Filter.Needed> needed() {
    return test instanceof Test.Equal(var value)
        ? Optional.of(new Filter.Needed(path, value))
        : Optional.empty();
  }
}
