package io.jcontainerd.linux.libc;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * A function of the C library that is linked when it is first called: linking costs milliseconds,
 * and a process calls few of all that are bound. Threads that come first together link it twice,
 * which does no harm.
 */
final class CFunction {
  private final String name;
  private final FunctionDescriptor descriptor;
  private final Linker.Option[] options;
  private volatile @Nullable MethodHandle handle;

  CFunction(String name, FunctionDescriptor descriptor, Linker.Option... options) {
    this.name = name;
    this.descriptor = descriptor;
    this.options = options;
  }

  /** The handle to be invoked exactly as the descriptor says. */
  MethodHandle handle() {
    MethodHandle linked = handle;
    if (linked == null) {
      linked = Libc.link(name, descriptor, options);
      handle = linked;
    }
    return linked;
  }
}
