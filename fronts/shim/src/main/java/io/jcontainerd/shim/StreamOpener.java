package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** Opens the streams of processes, of whatever form. Safe for many threads. */
final class StreamOpener {
  private static final Set<String> LOGGERS = Set.of("binary", "binary-v2");

  private final Children children;
  private final Reactor exits;
  private final Reactor terminals;
  private final Path consoles;
  private final AtomicLong numbers = new AtomicLong();

  /**
   * @param exits for short waits
   * @param terminals for copying
   * @param consoles an existing folder with a short path
   */
  StreamOpener(Children children, Reactor exits, Reactor terminals, Path consoles) {
    this.children = children;
    this.exits = exits;
    this.terminals = terminals;
    this.consoles = consoles;
  }

  /** Opens what a process about to be started needs. */
  ProcessIo open(Stdio stdio, RuntimeOptions options, String namespace, String containerId)
      throws IOException, InterruptedException {
    Optional<LoggerIo> logger = logger(stdio, namespace, containerId);
    if (stdio.terminal()) {
      Path console = consoles.resolve(numbers.incrementAndGet() + ".sock");
      return TerminalIo.open(stdio, logger, terminals, console);
    }
    return logger.isPresent() ? logger.get() : DirectIo.open(stdio, options);
  }

  private Optional<LoggerIo> logger(Stdio stdio, String namespace, String containerId)
      throws IOException, InterruptedException {
    if (stdio.stdout().isEmpty()) {
      return Optional.empty();
    }
    StdioUri uri = StdioUri.parse(stdio.stdout());
    if (!LOGGERS.contains(uri.scheme())) {
      return Optional.empty();
    }
    if (!stdio.stderr().isEmpty() && !stdio.stderr().equals(stdio.stdout())) {
      throw new InvalidArgumentException(
          "stderr " + stdio.stderr() + ": a logger takes both streams");
    }
    return Optional.of(LoggerIo.open(uri, namespace, containerId, children, exits));
  }

  /** Opens what the host keeps for a process that was started by an earlier host. */
  ProcessIo reopen(Stdio stdio, boolean stdinClosed) throws IOException {
    if (stdio.terminal()
        || (!stdio.stdout().isEmpty()
            && LOGGERS.contains(StdioUri.parse(stdio.stdout()).scheme()))) {
      return DirectIo.reopen(new Stdio("", "", "", stdio.terminal()), true);
    }
    return DirectIo.reopen(stdio, stdinClosed);
  }
}
