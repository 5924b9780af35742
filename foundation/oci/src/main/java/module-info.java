import org.jspecify.annotations.NullMarked;

/** Image-spec and runtime-spec documents, references, platforms, and the tar format. */
@NullMarked
module io.jcontainerd.oci {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;

  exports io.jcontainerd.oci.image;
  exports io.jcontainerd.oci.json;
  exports io.jcontainerd.oci.platform;
  exports io.jcontainerd.oci.reference;
  exports io.jcontainerd.oci.runtime;
  exports io.jcontainerd.oci.tar;
}
