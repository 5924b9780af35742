package io.jcontainerd.client;

import io.grpc.stub.BlockingClientCall;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reading answers that come in several messages. */
final class Replies {
  private Replies() {}

  /** Shows every message of a stream; the call is cancelled when that fails. */
  static <R> void each(BlockingClientCall<?, R> call, Consumer<R> consumer) {
    boolean done = false;
    try {
      @Nullable R reply = Connection.<@Nullable R>send(call::read);
      while (reply != null) {
        consumer.accept(reply);
        reply = Connection.<@Nullable R>send(call::read);
      }
      done = true;
    } finally {
      if (!done) {
        call.cancel("the reader ended early", null);
      }
    }
  }
}
