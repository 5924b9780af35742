package io.jcontainerd.wire.streams;

import com.google.protobuf.Any;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Two ends of a stream in memory. */
final class StreamPair {
  private static final Any END = Any.newBuilder().setTypeUrl("end").build();
  private static final Any BROKEN = Any.newBuilder().setTypeUrl("broken").build();

  final End one;
  final End other;

  StreamPair() {
    BlockingQueue<Any> there = new LinkedBlockingQueue<>();
    BlockingQueue<Any> back = new LinkedBlockingQueue<>();
    one = new End(there, back);
    other = new End(back, there);
  }

  /** One end, which remembers what it sent. */
  static final class End implements MessageStream {
    final List<Any> sent = Collections.synchronizedList(new ArrayList<>());
    private final BlockingQueue<Any> out;
    private final BlockingQueue<Any> in;
    private boolean ended;

    End(BlockingQueue<Any> out, BlockingQueue<Any> in) {
      this.out = out;
      this.in = in;
    }

    @Override
    public String id() {
      return "s";
    }

    @Override
    public void send(Any message) {
      sent.add(message);
      out.add(message);
    }

    @Override
    public Optional<Any> receive(Duration longest) throws InterruptedException {
      Any next = longest.isZero() ? in.take() : in.poll(longest.toNanos(), TimeUnit.NANOSECONDS);
      if (next == null) {
        throw new DeadlineExceededException("nothing came");
      }
      if (next.equals(BROKEN)) {
        throw new UnavailableException("stream s: the other side is gone");
      }
      if (next.equals(END)) {
        in.add(END);
        return Optional.empty();
      }
      return Optional.of(next);
    }

    @Override
    public void fail(String why) {
      end(BROKEN);
    }

    @Override
    public void close() {
      end(END);
    }

    private void end(Any how) {
      if (!ended) {
        ended = true;
        out.add(how);
      }
    }
  }
}
