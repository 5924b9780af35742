package io.jcontainerd.linux.process;

import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The port {@link Processes} on a real kernel: posix_spawn, pidfds, one thread for all waiting. */
public final class LinuxProcesses implements Processes, AutoCloseable {
  private final Reactor reactor;
  private final Children children;
  private final ProgramRunner runner;

  private LinuxProcesses(Reactor reactor) {
    this.reactor = reactor;
    this.children = new Children(reactor, Clock.systemUTC());
    this.runner = new ProgramRunner(reactor, children);
  }

  /** Starts the one thread that waits. Programs started here survive the closing. */
  public static LinuxProcesses open() throws IOException {
    return new LinuxProcesses(Reactor.start("processes"));
  }

  @Override
  public Finished run(Processes.Spawn spawn, Duration deadline, int maxOutput)
      throws IOException, InterruptedException {
    ProgramRunner.Finished finished =
        runner.run(convert(spawn), spawn.input(), deadline, maxOutput);
    if (finished.timedOut()) {
      throw new DeadlineExceededException(
          "program "
              + spawn.command().getFirst()
              + " did not end within "
              + deadline.toMillis()
              + " ms and was killed");
    }
    return new Finished(finished.exit().code(), finished.output(), finished.error());
  }

  @Override
  public Processes.Pipeline pipe(List<Processes.Filter> filters, int maxError) throws IOException {
    List<ProgramPipeline.Stage> stages =
        filters.stream()
            .map(filter -> new ProgramPipeline.Stage(convert(filter.spawn()), filter.extra()))
            .toList();
    return ProgramPipeline.start(stages, reactor, children, maxError);
  }

  @Override
  public int start(Processes.Spawn spawn, Optional<Path> output) throws IOException {
    Map<Integer, OwnedDescriptor> descriptors = new HashMap<>();
    try (ProgramRunner.Input input = ProgramRunner.Input.of(spawn.input())) {
      input.descriptor().ifPresent(descriptor -> descriptors.put(0, descriptor));
      if (output.isEmpty()) {
        return children.spawn(convert(spawn).withDescriptors(descriptors)).pid();
      }
      create(output.get());
      try (OwnedDescriptor log =
          OwnedDescriptor.open(output.get(), OwnedDescriptor.Access.APPEND)) {
        descriptors.put(1, log);
        descriptors.put(2, log);
        return children.spawn(convert(spawn).withDescriptors(descriptors)).pid();
      }
    }
  }

  @Override
  public boolean signal(int pid, int signal) throws IOException {
    return Signals.send(pid, signal);
  }

  @Override
  public Optional<Long> startTime(int pid) throws IOException {
    return ProcessIdentity.of(pid).map(ProcessIdentity::startTicks);
  }

  @Override
  public void close() throws InterruptedIOException {
    reactor.close();
  }

  private static void create(Path file) throws IOException {
    if (!Files.exists(file)) {
      try {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      } catch (java.nio.file.FileAlreadyExistsException e) {
        // somebody else made it in between; appending to it is what was asked for
      }
    }
  }

  private static Program convert(Processes.Spawn spawn) {
    List<String> environment =
        spawn.environment().entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .toList();
    Program converted =
        Program.of(
                spawn.command().getFirst(),
                spawn.command().subList(1, spawn.command().size()),
                environment)
            .in(spawn.directory());
    Program led = spawn.newSession() ? converted.withSession() : converted;
    return spawn.endsWithGroup() ? led.withGroupThatEnds() : led;
  }
}
