package io.jcontainerd.services;

import io.jcontainerd.services.rpc.Sink;
import java.util.List;
import java.util.function.Function;

/** Lists too long for one message. */
final class Blocks {
  /** The most entries that one message of a list carries. */
  static final int SIZE = 100;

  private Blocks() {}

  /** Sends the entries in messages of at most {@link #SIZE}; none makes no message. */
  static <T, A> void send(List<T> entries, Function<List<T>, A> message, Sink<A> answers)
      throws InterruptedException {
    for (int from = 0; from < entries.size(); from += SIZE) {
      List<T> block = entries.subList(from, Math.min(from + SIZE, entries.size()));
      answers.send(message.apply(block));
    }
  }
}
