package io.jcontainerd.core.filter;

import java.util.List;

/** Every comparison must hold. */
record AllOf(List<Selector> selectors) implements Filter {
  AllOf {
    selectors = List.copyOf(selectors);
  }

  @Override
  public boolean matches(Fields fields) {
    return selectors.stream().allMatch(selector -> selector.matches(fields));
  }

  @Override
  public List<List<Needed>> needs() {
    return List.of(selectors.stream().flatMap(selector -> selector.needed().stream()).toList());
  }
}
