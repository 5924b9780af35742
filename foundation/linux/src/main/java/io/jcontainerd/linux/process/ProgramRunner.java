package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Pipe;
import io.jcontainerd.linux.descriptor.Reactor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Runs programs to their end and keeps what they print, without a thread for each. Safe for many
 * threads.
 */
public final class ProgramRunner {
  private static final int CHUNK = 16 * 1024;
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  private final Reactor reactor;
  private final Children children;

  /** A runner whose programs are watched, and whose output is read, by the reactor. */
  public ProgramRunner(Reactor reactor, Children children) {
    this.reactor = reactor;
    this.children = children;
  }

  /**
   * What came of a program.
   *
   * @param exit how it ended
   * @param timedOut whether it was killed because its time was over
   * @param output its standard output
   * @param error its standard error
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Finished(ExitStatus exit, boolean timedOut, byte[] output, byte[] error) {}

  /**
   * Runs a program to its end, or kills its process group when the time is over or the thread is
   * interrupted. Output that a descendant writes later is lost.
   *
   * @param program its standard streams, where not given, are {@code input} and pipes to us
   * @param input all of its standard input
   * @param maxOutput bytes that are kept of each stream; the rest is read and dropped
   */
  public Finished run(Program program, byte[] input, Duration deadline, int maxOutput)
      throws IOException, InterruptedException {
    Map<Integer, OwnedDescriptor> descriptors = new HashMap<>(program.descriptors());
    try (Collected output = new Collected(maxOutput);
        Collected error = new Collected(maxOutput);
        Input source = Input.of(input)) {
      if (source.descriptor().isPresent()) {
        descriptors.putIfAbsent(0, source.descriptor().get());
      }
      if (!descriptors.containsKey(1)) {
        descriptors.put(1, output.open());
      }
      if (!descriptors.containsKey(2)) {
        descriptors.put(2, error.open());
      }
      Child child = children.spawn(program.withDescriptors(descriptors).withGroup());
      output.started();
      error.started();
      boolean timedOut = false;
      Optional<ExitStatus> exit;
      try {
        exit = child.await(deadline);
        if (exit.isEmpty()) {
          timedOut = true;
          killGroup(child);
          exit = child.await(AFTER_KILL);
        }
      } catch (InterruptedException e) {
        killGroup(child);
        throw e;
      }
      ExitStatus end =
          exit.orElseThrow(
              () -> new IOException(program.program() + " does not end though it was killed"));
      return new Finished(end, timedOut, output.finish(), error.finish());
    }
  }

  private static void killGroup(Child child) throws ErrnoException {
    if (child.ended().isEmpty()) {
      try {
        Signals.send(-child.pid(), Signals.KILL);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EPERM)) {
          throw e;
        }
        child.signal(Signals.KILL);
      }
    }
  }

  /** Bytes that a program can read from their beginning. */
  record Input(Optional<OwnedDescriptor> descriptor) implements AutoCloseable {
    static Input of(byte[] bytes) throws ErrnoException {
      if (bytes.length == 0) {
        return new Input(Optional.empty());
      }
      try (OwnedDescriptor memory = OwnedDescriptor.inMemory("input");
          Arena arena = Arena.ofConfined()) {
        ByteBuffer buffer = arena.allocate(bytes.length).asByteBuffer().put(bytes).flip();
        while (buffer.hasRemaining()) {
          memory.write(buffer);
        }
        // a second opening has a position of its own, at the beginning
        Path again = Path.of("/proc/self/fd/" + memory.number());
        return new Input(Optional.of(OwnedDescriptor.open(again, OwnedDescriptor.Access.READ)));
      }
    }

    @Override
    public void close() {
      descriptor.ifPresent(OwnedDescriptor::close);
    }
  }

  /**
   * The reading side of one output stream. Its buffers belong to the reactor's thread or, later, to
   * finish.
   */
  private final class Collected implements AutoCloseable {
    private final int max;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Optional<Pipe> pipe = Optional.empty();
    private Optional<Reactor.Registration> registration = Optional.empty();
    private boolean done;

    Collected(int max) {
      this.max = max;
    }

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
        while (true) {
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
}
