package io.jcontainerd.core.operation;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * One look at many operations. What is the same for all of them, such as the machine's processes,
 * is found out once, by the first that needs it. Safe for many threads.
 */
public final class Glance {
  private final Map<Class<?>, FutureTask<?>> found = new ConcurrentHashMap<>();

  /** A look that knows nothing yet. */
  public Glance() {}

  /**
   * What the search finds, which is run for the first that asks.
   *
   * @param kind names it; nothing else is of that type
   * @param search must not fail; who looks does not wait for it for long, see {@link
   *     OperationRegistry#list}
   */
  public <T> T once(Class<T> kind, Supplier<T> search) throws InterruptedException {
    FutureTask<T> mine = new FutureTask<>(search::get);
    FutureTask<?> other = found.putIfAbsent(kind, mine);
    if (other == null) {
      mine.run();
    }
    try {
      return kind.cast(other == null ? mine.get() : other.get());
    } catch (ExecutionException e) {
      throw new IllegalStateException("search for " + kind.getSimpleName(), e.getCause());
    }
  }
}
