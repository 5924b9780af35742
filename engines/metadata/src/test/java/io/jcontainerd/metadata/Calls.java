package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.content.Ingest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Runs every method of an interface inside one call, as an interceptor of a transport does. */
final class Calls {
  private Calls() {}

  static <T> T within(Call call, Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) ->
                call.call(
                    () -> {
                      try {
                        Object result = method.invoke(target, arguments);
                        return result instanceof Ingest ingest
                            ? within(call, Ingest.class, ingest)
                            : result;
                      } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                      }
                    })));
  }
}
