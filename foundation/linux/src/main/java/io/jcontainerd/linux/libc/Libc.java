package io.jcontainerd.linux.libc;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The base of all bindings: looks functions up in the C library and captures {@code errno} for each
 * call.
 *
 * <p>A call made through {@link #bind} takes a capture segment as its first argument. One segment
 * belongs to one call on one thread, so that the number read is the number that call left.
 */
@SuppressWarnings("restricted") // this room is the one that may call C
public final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup LOOKUP = LINKER.defaultLookup();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = CAPTURE.varHandle(PathElement.groupElement("errno"));
  private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");

  private Libc() {}

  /** Binds a function with errno capture; the handle takes the capture segment first. */
  static CFunction bind(String name, FunctionDescriptor function) {
    return new CFunction(name, function, CAPTURE_ERRNO);
  }

  /**
   * Binds a function declared with {@code ...}, with errno capture.
   *
   * @param firstVariadic index of the first argument that falls under the {@code ...}
   */
  static CFunction bindVariadic(String name, int firstVariadic, FunctionDescriptor function) {
    return new CFunction(
        name, function, CAPTURE_ERRNO, Linker.Option.firstVariadicArg(firstVariadic));
  }

  /** Binds a function that reports its error as a return value and leaves errno alone. */
  static CFunction bindPlain(String name, FunctionDescriptor function) {
    return new CFunction(name, function);
  }

  /** A fresh capture segment for one call. */
  public static MemorySegment capture(Arena arena) {
    return arena.allocate(CAPTURE);
  }

  /** The error number that the call left in its capture segment. */
  public static int errno(MemorySegment capture) {
    return (int) ERRNO.get(capture, 0L);
  }

  /** Passes a result that is not negative; otherwise throws what the capture segment holds. */
  public static int check(int result, String call, String subject, MemorySegment capture)
      throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, subject, errno(capture));
    }
    return result;
  }

  /** Passes a result that is not negative; otherwise throws what the capture segment holds. */
  public static long check(long result, String call, String subject, MemorySegment capture)
      throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, subject, errno(capture));
    }
    return result;
  }

  /**
   * Sorts what came out of a call: the expected failure is returned to be thrown, unchecked ones
   * fly on, anything else means a wrong binding.
   */
  public static ErrnoException failure(String call, Throwable thrown) {
    return switch (thrown) {
      case ErrnoException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(call, thrown);
    };
  }

  static MethodHandle link(String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return LINKER.downcallHandle(symbol(name), descriptor, options);
  }

  private static MemorySegment symbol(String name) {
    return LOOKUP
        .find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + name));
  }
}
