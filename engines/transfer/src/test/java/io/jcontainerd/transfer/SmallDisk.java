package io.jcontainerd.transfer;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.ports.NoSpaceException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A content store on a disk that has no room for the end of a big blob. */
final class SmallDisk {
  private SmallDisk() {}

  /** The store; a blob that is bigger gets its first bytes and no more. */
  static ContentStore of(ContentStore store, long biggest) {
    return wrap(
        ContentStore.class,
        (_, method, arguments) -> {
          Object result = call(store, method, arguments);
          return result instanceof Ingest ingest && ((IngestRequest) arguments[0]).total() > biggest
              ? wrap(Ingest.class, new Full(ingest))
              : result;
        });
  }

  private static final class Full implements InvocationHandler {
    private final Ingest ingest;
    private boolean written;

    Full(Ingest ingest) {
      this.ingest = ingest;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object[] arguments)
        throws Throwable {
      if (method.getName().equals("write")) {
        if (written) {
          throw new ResourceExhaustedException(
              "ingest: No space left on device", new NoSpaceException("ingest"));
        }
        written = true;
      }
      return call(ingest, method, arguments);
    }
  }

  private static <T> T wrap(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static @Nullable Object call(Object target, Method method, Object[] arguments)
      throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
