package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
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
    try (Collected output = new Collected(reactor, maxOutput);
        Collected error = new Collected(reactor, maxOutput);
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
      Program grouped = program.endsGroup() ? program : program.withGroup();
      Child child = children.spawn(grouped.withDescriptors(descriptors));
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
}
