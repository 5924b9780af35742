package io.jcontainerd.testkit.faults;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an engine and its ports, records every call, and lets one of them go wrong. The
 * same object can stand before several ports, so that their calls are counted together. Open file
 * handles and synchronisers are watched too. Closing a handle and reading a clock never fail and
 * are not counted. Safe for many threads.
 */
public final class Faults {
  /** Makes the failure of one call. */
  @FunctionalInterface
  public interface Failure {
    /**
     * What the call throws instead of doing anything.
     *
     * @param call the call in words, such as {@code rename /a /b}
     */
    Throwable at(String call);
  }

  private final List<String> calls = new ArrayList<>();
  private final int number;
  private final Failure failure;
  private final Kind kind;
  private boolean dead;

  /** What goes wrong. */
  private enum Kind {
    FAILURE,
    CRASH,
    SHORT_WRITE
  }

  private Faults(int number, Failure failure, Kind kind) {
    this.number = number;
    this.failure = failure;
    this.kind = kind;
  }

  /** Records and lets everything through. */
  public static Faults none() {
    return new Faults(0, AssertionError::new, Kind.FAILURE);
  }

  /** The n-th call, counted from 1, fails; those after it work again. */
  public static Faults failing(int number, Failure failure) {
    return new Faults(number, failure, Kind.FAILURE);
  }

  /** The n-th call, counted from 1, takes only a part of its bytes if it is a write. */
  public static Faults shortening(int number) {
    return new Faults(number, AssertionError::new, Kind.SHORT_WRITE);
  }

  /**
   * The n-th call, counted from 1, and all after it do nothing but throw {@link SimulatedCrash}.
   */
  public static Faults crashing(int number) {
    return new Faults(number, SimulatedCrash::new, Kind.CRASH);
  }

  /** The calls so far, in words. */
  public synchronized List<String> calls() {
    return List.copyOf(calls);
  }

  /** Whether the fault has come about. */
  public synchronized boolean struck() {
    return number > 0 && calls.size() >= number;
  }

  /** The port, watched. */
  public <T> T watch(Class<T> port, T real) {
    return port.cast(
        Proxy.newProxyInstance(
            port.getClassLoader(), new Class<?>[] {port}, new Watch(real, port.getSimpleName())));
  }

  /** Returns whether the call is to be done in part. */
  private boolean before(String call) throws Throwable {
    synchronized (this) {
      if (dead) {
        throw new SimulatedCrash(call);
      }
      calls.add(call);
      if (calls.size() != number) {
        return false;
      }
      dead = kind == Kind.CRASH;
    }
    if (kind == Kind.SHORT_WRITE) {
      return true;
    }
    throw failure.at(call);
  }

  /** Runs with the buffer's second half hidden. */
  private static @Nullable Object halved(ByteBuffer bytes, Method method, Object real, Object[] all)
      throws ReflectiveOperationException {
    int limit = bytes.limit();
    bytes.limit(bytes.position() + (bytes.remaining() + 1) / 2);
    try {
      return method.invoke(real, all);
    } finally {
      bytes.limit(limit);
    }
  }

  private final class Watch implements InvocationHandler {
    private final Object real;
    private final String name;

    Watch(Object real, String name) {
      this.real = real;
      this.name = name;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      if (method.isDefault()) {
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      }
      boolean counted =
          method.getDeclaringClass() != Object.class && !method.getName().equals("close");
      boolean partly = counted && before(name + "." + method.getName() + " " + words(arguments));
      boolean write = partly && method.getName().equals("write");
      try {
        Object result =
            write && arguments != null && arguments[0] instanceof ByteBuffer bytes
                ? halved(bytes, method, real, arguments)
                : method.invoke(real, arguments);
        return switch (result) {
          case Files.Handle handle -> watch(Files.Handle.class, handle);
          case Kernel.Synchroniser opened -> watch(Kernel.Synchroniser.class, opened);
          case null, default -> result;
        };
      } catch (InvocationTargetException e) {
        throw e.getTargetException();
      }
    }

    private String words(Object @Nullable [] arguments) {
      return arguments == null ? "" : Arrays.deepToString(arguments);
    }
  }
}
