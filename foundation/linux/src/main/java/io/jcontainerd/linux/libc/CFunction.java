package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * A function of the C library, looked up when it is first called. {@code errno} of each call is
 * kept in a segment of {@link Libc#capture}.
 *
 * <p>All functions are called in one shape: six words go in, one comes out. Each shape of a call
 * costs the virtual machine a dozen classes and some milliseconds when it is first used, and they
 * stay; of the functions bound here nearly each would have one of its own. On the systems that are
 * supported (System V AMD64 and AAPCS64) this is how they are called anyway: integers and pointers
 * go into registers, six at least; a function reads those it declares, of each as many bits as it
 * declares, and leaves the others alone. That holds for functions that are declared with {@code
 * ...}, too, as long as no floating point number is passed.
 *
 * <p>Since pointers go as numbers, nothing keeps the memory behind them for the length of a call
 * but its user: it belongs to an arena that only the calling thread can close.
 */
@SuppressWarnings("restricted") // this room is the one that may call C
final class CFunction {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle SIX_WORDS =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.captureCallState("errno"));

  private final String name;
  private volatile @Nullable MemorySegment found;

  CFunction(String name) {
    this.name = name;
  }

  /** A function of another library, which must stay loaded. */
  CFunction(String name, MemorySegment address) {
    this.name = name;
    this.found = address;
  }

  /**
   * The address of memory that is to be read or written by a call.
   *
   * @throws IllegalArgumentException if it is on the heap, or closed, or another thread's
   */
  static long at(MemorySegment memory) {
    if (!memory.isNative()
        || !memory.scope().isAlive()
        || !memory.isAccessibleBy(Thread.currentThread())) {
      throw new IllegalArgumentException("not memory that C may use here: " + memory);
    }
    return memory.address();
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture) {
    return (int) callLong(capture, 0, 0, 0, 0, 0, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a) {
    return (int) callLong(capture, a, 0, 0, 0, 0, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a, long b) {
    return (int) callLong(capture, a, b, 0, 0, 0, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a, long b, long c) {
    return (int) callLong(capture, a, b, c, 0, 0, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a, long b, long c, long d) {
    return (int) callLong(capture, a, b, c, d, 0, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a, long b, long c, long d, long e) {
    return (int) callLong(capture, a, b, c, d, e, 0);
  }

  /** The result of a function that returns an int. */
  int call(MemorySegment capture, long a, long b, long c, long d, long e, long f) {
    return (int) callLong(capture, a, b, c, d, e, f);
  }

  /** The result of a function that returns a long. */
  long callLong(MemorySegment capture, long a, long b, long c) {
    return callLong(capture, a, b, c, 0, 0, 0);
  }

  /** The result of a function that returns a long. */
  long callLong(MemorySegment capture, long a, long b, long c, long d) {
    return callLong(capture, a, b, c, d, 0, 0);
  }

  /** The result of a function that returns a long. */
  long callLong(MemorySegment capture, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) SIX_WORDS.invokeExact(address(), capture, a, b, c, d, e, f);
    } catch (RuntimeException | Error e1) {
      throw e1;
    } catch (Throwable e1) {
      throw new AssertionError(name, e1);
    }
  }

  private MemorySegment address() {
    MemorySegment known = found;
    if (known == null) {
      known =
          LINKER
              .defaultLookup()
              .find(name)
              .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + name));
      found = known;
    }
    return known;
  }
}
