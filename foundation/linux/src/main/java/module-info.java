import org.jspecify.annotations.NullMarked;

/**
 * Mounts, cgroups, pidfds, FIFOs, terminals and extended attributes; the only room that calls C.
 */
@NullMarked
module io.jcontainerd.linux {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;

  exports io.jcontainerd.linux;
  exports io.jcontainerd.linux.cgroup;
  exports io.jcontainerd.linux.descriptor;
  exports io.jcontainerd.linux.memory;
  exports io.jcontainerd.linux.process;
  exports io.jcontainerd.linux.terminal;
}
