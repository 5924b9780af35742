package io.jcontainerd.linux.process;

import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Pipe;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.PollCalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Programs joined by pipes of the kernel; only the first and the last pipe end here. */
final class ProgramPipeline implements Processes.Pipeline {
  /** What is asked of a waiting thread is seen after this long. */
  private static final Duration LOOK_UP = Duration.ofMillis(50);

  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  /** A program, to be started. */
  record Stage(Program program, Optional<byte[]> extra) {}

  private record Running(String name, Child child, Collected error) {}

  private final List<Running> running = new ArrayList<>();
  private final OwnedDescriptor input;
  private final OwnedDescriptor output;

  private ProgramPipeline(OwnedDescriptor input, OwnedDescriptor output) {
    this.input = input;
    this.output = output;
  }

  /** Starts all of them, or none. */
  static ProgramPipeline start(List<Stage> stages, Reactor reactor, Children children, int maxError)
      throws IOException {
    List<Pipe> pipes = new ArrayList<>();
    Optional<ProgramPipeline> started = Optional.empty();
    boolean whole = false;
    try {
      for (int i = 0; i <= stages.size(); i++) {
        pipes.add(Pipe.open());
      }
      var pipeline = new ProgramPipeline(pipes.getFirst().writing(), pipes.getLast().reading());
      started = Optional.of(pipeline);
      pipeline.input.setNonBlocking();
      pipeline.output.setNonBlocking();
      for (int i = 0; i < stages.size(); i++) {
        pipeline.start(
            stages.get(i),
            pipes.get(i).reading(),
            pipes.get(i + 1).writing(),
            new Collected(reactor, maxError),
            children);
      }
      whole = true;
      return pipeline;
    } finally {
      for (int i = 0; i < pipes.size(); i++) { // what the programs have copies of
        if (!whole || i < pipes.size() - 1) {
          pipes.get(i).reading().close();
        }
        if (!whole || i > 0) {
          pipes.get(i).writing().close();
        }
      }
      if (!whole && started.isPresent()) {
        started.get().close();
      }
    }
  }

  private void start(
      Stage stage, OwnedDescriptor from, OwnedDescriptor to, Collected error, Children children)
      throws IOException {
    boolean kept = false;
    try (ProgramRunner.Input extra = ProgramRunner.Input.of(stage.extra().orElse(new byte[0]))) {
      Map<Integer, OwnedDescriptor> descriptors = new HashMap<>();
      descriptors.put(0, from);
      descriptors.put(1, to);
      descriptors.put(2, error.open());
      extra.descriptor().ifPresent(descriptor -> descriptors.put(3, descriptor));
      Program program = stage.program().withGroupThatEnds().withDescriptors(descriptors);
      running.add(new Running(program.program(), children.spawn(program), error));
      kept = true;
      error.started();
    } catch (ErrnoException e) {
      throw new IOException(stage.program().program() + ": " + e.getMessage(), e);
    } finally {
      if (!kept) {
        error.close();
      }
    }
  }

  private static boolean isReady(OwnedDescriptor descriptor, int events, Duration patience)
      throws ErrnoException, InterruptedException {
    long begun = System.nanoTime();
    while (true) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      long left = patience.toNanos() - (System.nanoTime() - begun);
      long wait = Math.min(Math.max(left, 0), LOOK_UP.toNanos());
      try {
        int millis = Math.toIntExact(Duration.ofNanos(wait).toMillis());
        if (PollCalls.poll(descriptor.number(), events, millis)) {
          return true;
        }
      } catch (ErrnoException e) {
        if (!e.is(Errno.EINTR)) {
          throw e;
        }
      }
      if (left <= 0) {
        return false;
      }
    }
  }

  @Override
  public int give(ByteBuffer from, Duration patience) throws IOException, InterruptedException {
    if (!isReady(input, PollCalls.POLLOUT, patience)) {
      return 0;
    }
    try {
      return input.write(from);
    } catch (ErrnoException e) {
      if (e.is(Errno.EPIPE)) {
        return -1;
      }
      throw e;
    }
  }

  @Override
  public void finish() {
    input.close();
  }

  @Override
  public int take(ByteBuffer into, Duration patience) throws IOException, InterruptedException {
    return isReady(output, PollCalls.POLLIN, patience) ? output.read(into) : 0;
  }

  @Override
  public List<Optional<Processes.Finished>> ends(Duration patience)
      throws IOException, InterruptedException {
    long begun = System.nanoTime();
    List<Optional<Processes.Finished>> ends = new ArrayList<>();
    for (Running program : running) {
      long left = Math.max(0, patience.toNanos() - (System.nanoTime() - begun));
      Optional<ExitStatus> exit = program.child().await(Duration.ofNanos(left));
      if (exit.isEmpty()) {
        ends.add(Optional.empty());
      } else {
        ends.add(
            Optional.of(
                new Processes.Finished(exit.get().code(), new byte[0], program.error().finish())));
      }
    }
    return ends;
  }

  /** All of them are told to end before any is waited for, whatever fails. */
  @Override
  public void close() throws IOException {
    input.close();
    output.close();
    List<IOException> failures = new ArrayList<>();
    for (Running program : running) {
      try {
        kill(program.child());
      } catch (ErrnoException e) {
        failures.add(new IOException(program.name() + ": " + e.getMessage(), e));
      }
    }
    boolean interrupted = false;
    for (Running program : running) {
      Optional<ExitStatus> end = Optional.empty();
      boolean waited = false;
      while (!waited) {
        try {
          end = program.child().await(AFTER_KILL);
          waited = true;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      if (end.isEmpty()) {
        failures.add(new IOException(program.name() + " does not end though it was killed"));
      }
      program.error().close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!failures.isEmpty()) {
      IOException first = failures.removeFirst();
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  /** The rest of its group ends with it. */
  private static void kill(Child child) throws ErrnoException {
    boolean _ = child.signal(Signals.KILL);
  }
}
