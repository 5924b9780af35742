package io.jcontainerd.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Pieces of work that begin at the same moment, each timed by itself. */
final class Together {
  private Together() {}

  /** One piece; tells how many nanoseconds it took, which need not be all of its time. */
  @FunctionalInterface
  interface Piece {
    long run(int number) throws IOException, InterruptedException;
  }

  /** Runs {@code count} of them, in milliseconds each. */
  static List<Double> run(int count, Piece piece) throws IOException, InterruptedException {
    var begin = new CyclicBarrier(count);
    try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
      List<Future<Long>> running = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        running.add(
            threads.submit(
                () -> {
                  begin.await();
                  return piece.run(number);
                }));
      }
      List<Double> millis = new ArrayList<>();
      for (Future<Long> one : running) {
        millis.add(one.get() / 1e6);
      }
      return millis;
    } catch (ExecutionException e) {
      throw new IOException("one of " + count + " at once failed: " + e.getCause(), e);
    }
  }
}
