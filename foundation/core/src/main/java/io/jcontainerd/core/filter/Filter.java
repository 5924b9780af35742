package io.jcontainerd.core.filter;

/** A test that things of a list must pass. Safe for many threads. */
@FunctionalInterface
public interface Filter {
  /** Passes everything. */
  Filter ALL = _ -> true;

  /** Whether the thing passes. */
  boolean matches(Fields fields);
}
