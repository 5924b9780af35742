package io.jcontainerd.testkit.contract;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.Ingest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Optional;

/**
 * Runs every method of an interface inside a call in one namespace, as the interceptor of a
 * transport does; lease and deadline are those of the caller.
 */
public final class InNamespace {
  private InNamespace() {}

  /** The target, seen from the namespace; ingests and readers that it opens too. */
  public static <T> T of(String namespace, Class<T> type, T target) {
    return within(Optional.of(namespace), Optional.empty(), type, target);
  }

  /** As {@link #of}, with all that is created added to a lease. */
  public static <T> T leased(String namespace, String lease, Class<T> type, T target) {
    return within(Optional.of(namespace), Optional.of(lease), type, target);
  }

  private static <T> T within(
      Optional<String> namespace, Optional<String> lease, Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              Call current = Call.current();
              return new Call(namespace, lease.or(current::lease), current.deadline())
                  .call(
                      () -> {
                        try {
                          Object result = method.invoke(target, arguments);
                          return switch (result) {
                            case Ingest ingest -> within(namespace, lease, Ingest.class, ingest);
                            case ContentReader reader ->
                                within(namespace, lease, ContentReader.class, reader);
                            case null, default -> result;
                          };
                        } catch (InvocationTargetException e) {
                          throw e.getCause() == null ? e : e.getCause();
                        }
                      });
            }));
  }
}
