import org.jspecify.annotations.NullMarked;

/** Records, interfaces, failures and ports that every other room agrees on. */
@NullMarked
module io.jcontainerd.core {
  requires static transitive org.jspecify;
}
