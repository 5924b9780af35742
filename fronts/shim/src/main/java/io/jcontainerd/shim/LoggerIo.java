package io.jcontainerd.shim;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Pipe;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.Signals;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Output that a logging program takes: it reads standard output from its descriptor 3 and standard
 * error from 4, and tells through 5 that it is ready. With the scheme {@code binary} closing 5 is
 * enough, with {@code binary-v2} a byte must have been written before.
 *
 * <p>The host keeps reading ends, so that the process outlives its logger. At the end the logger
 * sees the end of both pipes and gets SIGTERM, and SIGKILL if it stays longer than its grace.
 */
final class LoggerIo implements ProcessIo {
  private static final Duration READY = Duration.ofSeconds(30);
  private static final Duration GRACE = Duration.ofSeconds(12);
  private static final int STDOUT = 3;
  private static final int STDERR = 4;
  private static final int READINESS = 5;

  private final Pipe out;
  private final Pipe err;
  private final Child logger;
  private boolean ended;

  private LoggerIo(Pipe out, Pipe err, Child logger) {
    this.out = out;
    this.err = err;
    this.logger = logger;
  }

  /** Starts the logger and waits until it is ready. */
  static LoggerIo open(
      StdioUri uri, String namespace, String containerId, Children children, Reactor reactor)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(uri.query());
    arguments.removeIf(String::isEmpty);
    Program program =
        Program.of(
            uri.path().toString(),
            arguments,
            List.of("CONTAINER_ID=" + containerId, "CONTAINER_NAMESPACE=" + namespace));
    Pipe out = Pipe.open();
    try {
      Pipe err = Pipe.open();
      try {
        Pipe ready = Pipe.open();
        Child logger;
        try {
          logger =
              children.spawn(
                  program.withDescriptors(
                      Map.of(
                          STDOUT,
                          out.reading(),
                          STDERR,
                          err.reading(),
                          READINESS,
                          ready.writing())));
        } catch (IOException | RuntimeException e) {
          ready.close();
          throw e;
        }
        ready.writing().close();
        LoggerIo io = new LoggerIo(out, err, logger);
        try {
          boolean byteSeen = awaitReady(ready.reading(), reactor);
          if (uri.scheme().equals("binary-v2") && !byteSeen) {
            throw new FailedPreconditionException(
                "logger " + uri.path() + " ended without saying that it is ready");
          }
          return io;
        } catch (IOException | RuntimeException | InterruptedException e) {
          io.kill();
          throw e;
        }
      } catch (IOException | RuntimeException | InterruptedException e) {
        err.close();
        throw e;
      }
    } catch (IOException | RuntimeException | InterruptedException e) {
      out.close();
      throw e;
    }
  }

  /**
   * Waits for a byte or the end; whether there was a byte. The descriptor is closed by the reactor,
   * whose thread may be inside a call on it.
   */
  private static boolean awaitReady(OwnedDescriptor ready, Reactor reactor)
      throws IOException, InterruptedException {
    CompletableFuture<Boolean> seen = new CompletableFuture<>();
    Reactor.Registration registration;
    try {
      ready.setNonBlocking();
      registration =
          reactor.register(
              ready,
              Reactor.READABLE,
              _ -> {
                int count = seen.isDone() ? 0 : ready.read(ByteBuffer.allocateDirect(1));
                if (count != 0) {
                  seen.complete(count > 0);
                }
              });
    } catch (IOException e) {
      ready.close();
      throw e;
    }
    try (registration) {
      return seen.get(READY.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new FailedPreconditionException(
          "the logger did not become ready within " + READY.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw new IOException("waiting for the logger", e.getCause());
    }
  }

  /** A further writing end of the logger's standard output, for one that is not the process. */
  synchronized OwnedDescriptor output() throws ErrnoException {
    return out.writing().duplicate(0);
  }

  private void kill() throws IOException {
    logger.signal(Signals.KILL);
  }

  @Override
  public synchronized Map<Integer, OwnedDescriptor> descriptors() {
    return Map.of(1, out.writing(), 2, err.writing());
  }

  @Override
  public Optional<Path> consoleSocket() {
    return Optional.empty();
  }

  @Override
  public synchronized void started() {
    out.writing().close();
    err.writing().close();
  }

  @Override
  public void closeStdin() {
    // a logged process has no input
  }

  @Override
  public boolean resize(WindowSize size) {
    return false;
  }

  @Override
  public boolean drained(Duration limit) {
    return true;
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      out.close();
      err.close();
    }
    logger.signal(Signals.TERM);
    try {
      if (logger.await(GRACE).isEmpty()) {
        logger.signal(Signals.KILL);
      }
    } catch (InterruptedException e) {
      logger.signal(Signals.KILL);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the logger");
    }
  }
}
