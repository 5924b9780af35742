package io.jcontainerd.daemon.storage;

import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A real disk with which something can be wrong for a while. */
final class Disk implements InvocationHandler {
  /** What is wrong. */
  @FunctionalInterface
  interface Trouble {
    /**
     * The failure of a call, if it fails.
     *
     * @param call the name of the method of {@link Files}
     * @param path one of its arguments
     */
    Optional<IOException> with(String call, Path path);
  }

  private static final Trouble NONE = (_, _) -> Optional.empty();

  private final Files real;
  private volatile Trouble trouble = NONE;

  Disk(Files real) {
    this.real = real;
  }

  Files files() {
    return (Files)
        Proxy.newProxyInstance(Files.class.getClassLoader(), new Class<?>[] {Files.class}, this);
  }

  void has(Trouble some) {
    trouble = some;
  }

  void isWell() {
    trouble = NONE;
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.isDefault()) {
      return InvocationHandler.invokeDefault(proxy, method, arguments);
    }
    if (arguments != null) {
      for (Object argument : arguments) {
        if (argument instanceof Path path) {
          Optional<IOException> failure = trouble.with(method.getName(), path);
          if (failure.isPresent()) {
            throw failure.get();
          }
        }
      }
    }
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }
}
