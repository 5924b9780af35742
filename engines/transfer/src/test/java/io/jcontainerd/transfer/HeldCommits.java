package io.jcontainerd.transfer;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A content store whose commits wait for something. */
final class HeldCommits {
  private HeldCommits() {}

  /** What a commit waits for. */
  interface Before {
    /**
     * Waits.
     *
     * @param size of the blob
     */
    void commit(long size) throws InterruptedException;
  }

  /** The store. */
  static ContentStore of(ContentStore store, Before before) {
    return wrap(
        ContentStore.class,
        (_, method, arguments) -> {
          Object result = call(store, method, arguments);
          return result instanceof Ingest ingest
              ? wrap(Ingest.class, held(ingest, before))
              : result;
        });
  }

  private static InvocationHandler held(Ingest ingest, Before before) {
    return (_, method, arguments) -> {
      if (method.getName().equals("commit")) {
        before.commit(ingest.status().offset());
      }
      return call(ingest, method, arguments);
    };
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
