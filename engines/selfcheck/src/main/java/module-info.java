import org.jspecify.annotations.NullMarked;

/**
 * Looks for damage in what is stored, heals it, and keeps what cannot be healed from being used.
 */
@NullMarked
module io.jcontainerd.selfcheck {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.store;

  exports io.jcontainerd.selfcheck;
}
