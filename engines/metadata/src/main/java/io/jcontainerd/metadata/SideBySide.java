package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Does things that have nothing to do with each other and mostly wait for the file system, some at
 * a time: the removal of a file takes a processor a fifth of the time that it takes.
 */
final class SideBySide {
  private static final int THREADS = 6;

  private SideBySide() {}

  /**
   * Does each, in the caller's {@link Call}; a single one on the caller's thread. All threads have
   * ended then, also after a failure, which is thrown; what had not begun by then is not done.
   */
  static <T> void each(List<T> all, Consumer<T> work) {
    each(all, work, Thread.ofPlatform().name("gc-remove-", 0).daemon(true).factory());
  }

  static <T> void each(List<T> all, Consumer<T> work, ThreadFactory factory) {
    if (all.size() < 2) {
      all.forEach(work);
      return;
    }
    Call call = Call.current();
    AtomicInteger next = new AtomicInteger();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    try {
      for (int i = 0; i < Math.min(THREADS, all.size()); i++) {
        Thread thread = factory.newThread(() -> call.run(() -> some(all, work, next, failure)));
        thread.start();
        threads.add(thread);
      }
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e); // there may be no more threads
    } finally {
      awaitAll(threads);
    }
    switch (failure.get()) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    }
  }

  private static <T> void some(
      List<T> all,
      Consumer<T> work,
      AtomicInteger next,
      AtomicReference<@Nullable Throwable> failure) {
    for (int i = next.getAndIncrement();
        i < all.size() && failure.get() == null;
        i = next.getAndIncrement()) {
      try {
        work.accept(all.get(i));
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    }
  }

  /**
   * Also when interrupted, which is kept: they are at work on what the caller owns. How long files
   * take to be removed is the disk's; the collection that this is part of is listed.
   */
  private static void awaitAll(List<Thread> threads) {
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
