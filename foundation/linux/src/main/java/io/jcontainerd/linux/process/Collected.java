package io.jcontainerd.linux.process;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Pipe;
import io.jcontainerd.linux.descriptor.Reactor;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The reading side of one output stream of a program. Its buffers belong to the reactor's thread
 * or, later, to {@link #finish}.
 */
final class Collected implements AutoCloseable {
  private static final int CHUNK = 16 * 1024;

  /** As many as a pipe holds, and some: who writes for ever must not have the reactor for ever. */
  private static final int CHUNKS_AT_ONCE = 16;

  private final Reactor reactor;
  private final int max;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private Optional<Pipe> pipe = Optional.empty();
  private Optional<Reactor.Registration> registration = Optional.empty();
  private boolean done;

  /**
   * @param max bytes that are kept; the rest is read and dropped
   */
  Collected(Reactor reactor, int max) {
    this.reactor = reactor;
    this.max = max;
  }

  /** What becomes the program's stream. */
  OwnedDescriptor open() throws ErrnoException {
    Pipe made = Pipe.open();
    pipe = Optional.of(made);
    made.reading().setNonBlocking();
    return made.writing();
  }

  /** The child has its copy of the writing end: only now can an end of the stream be seen. */
  void started() throws ErrnoException {
    if (pipe.isPresent()) {
      pipe.get().writing().close();
      registration =
          Optional.of(
              reactor.register(
                  pipe.get().reading(),
                  Reactor.READABLE,
                  _ -> {
                    if (!take()) {
                      stop();
                    }
                  }));
    }
  }

  /** Whether there may be more. */
  private synchronized boolean take() throws ErrnoException {
    if (done || pipe.isEmpty() || pipe.get().reading().isClosed()) {
      return false;
    }
    try (Arena arena = Arena.ofConfined()) { // given back now, not at some collection
      ByteBuffer chunk = arena.allocate(CHUNK).asByteBuffer();
      for (int i = 0; i < CHUNKS_AT_ONCE; i++) {
        int count = pipe.get().reading().read(chunk);
        if (count <= 0) {
          return count == 0;
        }
        chunk.flip();
        byte[] copy = new byte[Math.min(chunk.remaining(), max - bytes.size())];
        chunk.get(copy);
        bytes.writeBytes(copy);
        chunk.clear();
      }
      return true;
    }
  }

  private synchronized void stop() {
    done = true;
    registration.ifPresent(Reactor.Registration::close);
  }

  /** What is there by now, after the program's end. */
  synchronized byte[] finish() throws ErrnoException {
    take();
    stop();
    return bytes.toByteArray();
  }

  @Override
  public synchronized void close() {
    done = true;
    if (registration.isPresent()) {
      registration.get().close();
      pipe.ifPresent(p -> p.writing().close());
    } else {
      pipe.ifPresent(Pipe::close);
    }
  }
}
