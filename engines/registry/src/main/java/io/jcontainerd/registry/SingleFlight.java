package io.jcontainerd.registry;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/**
 * Does work once for all who want it at the same time. Whoever is interrupted leaves the work to
 * the next. No lock is held meanwhile. Safe for many threads.
 *
 * @param <K> what names the work
 * @param <V> what comes of it
 */
final class SingleFlight<K, V> {
  /** Something to do, which has its own deadline, and so have those who wait for it. */
  @FunctionalInterface
  interface Work<V> {
    V run() throws IOException, InterruptedException;
  }

  private final Map<K, CompletableFuture<V>> flights = new ConcurrentHashMap<>();

  V run(K key, Work<V> work) throws IOException, InterruptedException {
    while (true) {
      CompletableFuture<V> own = new CompletableFuture<>();
      CompletableFuture<V> running = flights.putIfAbsent(key, own);
      if (running == null) {
        return lead(key, own, work);
      }
      try {
        return running.get();
      } catch (ExecutionException e) {
        switch (e.getCause()) {
          case InterruptedException _ -> {
            continue; // the leader left; we try ourselves
          }
          case IOException failure -> throw failure;
          case RuntimeException failure -> throw failure;
          case null, default -> throw new IllegalStateException(e);
        }
      }
    }
  }

  private V lead(K key, CompletableFuture<V> own, Work<V> work)
      throws IOException, InterruptedException {
    try {
      V value = work.run();
      own.complete(value);
      return value;
    } catch (IOException | InterruptedException | RuntimeException e) {
      own.completeExceptionally(e);
      throw e;
    } finally {
      own.completeExceptionally(new IllegalStateException("the work ended by an error"));
      flights.remove(key, own);
    }
  }
}
