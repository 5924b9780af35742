import org.jspecify.annotations.NullMarked;

/** The daemon and the shim host in one virtual machine, to record what both load and compile. */
@NullMarked
module io.jcontainerd.training {
  requires static transitive org.jspecify;
  requires io.jcontainerd.daemon;
  requires io.jcontainerd.shim;
}
