package io.jcontainerd.core.filter;

import java.util.List;

/** One of the filters must hold. */
record OneOf(List<Filter> filters) implements Filter {
  OneOf {
    filters = List.copyOf(filters);
  }

  @Override
  public boolean matches(Fields fields) {
    return filters.stream().anyMatch(filter -> filter.matches(fields));
  }

  @Override
  public List<List<Needed>> needs() {
    return filters.stream().flatMap(filter -> filter.needs().stream()).toList();
  }
}
