import org.jspecify.annotations.NullMarked;

/** Image-spec and runtime-spec documents, references and platforms. */
@NullMarked
module io.jcontainerd.oci {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.avaje.jsonb;
}
