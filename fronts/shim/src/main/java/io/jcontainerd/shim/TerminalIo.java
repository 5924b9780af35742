package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.Fifos;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.OwnedDescriptor.Access;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.terminal.ConsoleSocket;
import io.jcontainerd.linux.terminal.Terminals;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The streams of a process with a terminal: what it prints is copied from the terminal's master to
 * the output, what a client types the other way, by one reactor for all terminals.
 *
 * <p>Each direction holds at most one buffer. When the reader is slow, the terminal is not read,
 * and so the process waits, as it would with a slow screen. The end of the process is seen as an
 * error of the master, after everything it printed.
 */
final class TerminalIo implements ProcessIo {
  private static final int BUFFER = 16 * 1024;

  /** Buffers that are copied before the other terminals of the reactor have their turn. */
  private static final int ROUNDS = 16;

  private final Reactor reactor;
  private final ConsoleSocket socket;
  private final Optional<LoggerIo> logger;
  private final CountDownLatch drained = new CountDownLatch(1);
  private final ByteBuffer toScreen = ByteBuffer.allocateDirect(BUFFER).limit(0);
  private final ByteBuffer typed = ByteBuffer.allocateDirect(BUFFER).limit(0);

  // guarded by this
  private @Nullable OwnedDescriptor input;
  private @Nullable OwnedDescriptor inputKeeper;
  private @Nullable OwnedDescriptor output;
  private @Nullable OwnedDescriptor outputKeeper;
  private @Nullable OwnedDescriptor master;
  private Reactor.@Nullable Registration masterWatch;
  private Reactor.@Nullable Registration inputWatch;
  private Reactor.@Nullable Registration outputWatch;
  private boolean masterAtEnd;
  private boolean closed;

  private TerminalIo(Reactor reactor, ConsoleSocket socket, Optional<LoggerIo> logger) {
    this.reactor = reactor;
    this.socket = socket;
    this.logger = logger;
  }

  /**
   * Opens the streams of a process that is about to be started.
   *
   * @param logger takes the output, if there is one; it is closed with the streams
   * @param console where the console socket is to be, a path that is free
   */
  static TerminalIo open(Stdio stdio, Optional<LoggerIo> logger, Reactor reactor, Path console)
      throws IOException {
    ConsoleSocket socket;
    try {
      socket = ConsoleSocket.listen(console);
    } catch (IOException e) {
      if (logger.isPresent()) {
        logger.get().close();
      }
      throw e;
    }
    TerminalIo io = new TerminalIo(reactor, socket, logger);
    try {
      io.openStreams(stdio);
      return io;
    } catch (IOException | RuntimeException e) {
      io.close();
      throw e;
    }
  }

  private synchronized void openStreams(Stdio stdio) throws IOException {
    if (!stdio.stdin().isEmpty()) {
      Path path = StdioUri.path(stdio.stdin());
      input = OwnedDescriptor.open(path, Access.READ_NONBLOCKING);
      if (Fifos.isFifo(path)) {
        inputKeeper = OwnedDescriptor.open(path, Access.WRITE_NONBLOCKING);
      }
    }
    if (logger.isPresent()) {
      output = logger.get().output();
      output.setNonBlocking();
      logger.get().started();
    } else if (!stdio.stdout().isEmpty()) {
      StdioUri uri = StdioUri.parse(stdio.stdout());
      switch (uri.scheme()) {
        case "fifo" -> {
          if (Fifos.isFifo(uri.path())) {
            output = OwnedDescriptor.open(uri.path(), Access.READ_WRITE_NONBLOCKING);
            outputKeeper = OwnedDescriptor.open(uri.path(), Access.READ_NONBLOCKING);
          } else {
            output = OwnedDescriptor.open(uri.path(), Access.APPEND);
          }
        }
        case "file" -> output = OwnedDescriptor.open(uri.path(), Access.APPEND);
        default ->
            throw new InvalidArgumentException(
                "stdio scheme " + uri.scheme() + " is not supported with a terminal");
      }
    }
  }

  @Override
  public Map<Integer, OwnedDescriptor> descriptors() {
    return Map.of();
  }

  @Override
  public Optional<Path> consoleSocket() {
    return Optional.of(socket.path());
  }

  @Override
  public void started() throws IOException {
    OwnedDescriptor terminal =
        socket.received().orElseThrow(() -> new InternalException("the runtime sent no terminal"));
    socket.close();
    synchronized (this) {
      master = terminal;
      terminal.setNonBlocking();
      masterWatch = reactor.register(terminal, Reactor.READABLE, this::masterReady);
      if (input != null) {
        try {
          inputWatch = reactor.register(input, Reactor.READABLE, _ -> pumpInput());
        } catch (ErrnoException e) {
          if (!e.is(Errno.EPERM)) { // a plain file cannot be waited for
            throw e;
          }
          throw new InvalidArgumentException("stdin of a terminal must be a FIFO", e);
        }
      }
    }
  }

  private synchronized void masterReady(int events) throws IOException {
    if ((events & Reactor.WRITABLE) != 0) {
      pumpInput();
    }
    if ((events & (Reactor.READABLE | Reactor.HANGUP | Reactor.ERROR)) != 0) {
      pumpOutput();
    }
  }

  /** From the terminal to the output, until one of them has nothing or no room, or others wait. */
  private synchronized void pumpOutput() throws IOException {
    OwnedDescriptor from = master;
    if (from == null || closed) {
      return;
    }
    int rounds = 0;
    while (true) {
      if (!toScreen.hasRemaining()) {
        if (masterAtEnd) {
          finishOutput();
          return;
        }
        if (rounds++ == ROUNDS) {
          interests(); // goes on in the reactor's next turn
          return;
        }
        toScreen.clear();
        int count = readMaster(from);
        toScreen.flip();
        if (count < 0) {
          masterAtEnd = true;
          continue;
        }
        if (count == 0) {
          interests();
          return;
        }
      }
      OwnedDescriptor to = output;
      if (to == null) {
        toScreen.position(toScreen.limit());
      } else if (to.write(toScreen) == 0) {
        waitForOutput(to);
        interests();
        return;
      }
    }
  }

  private int readMaster(OwnedDescriptor from) throws ErrnoException {
    try {
      return from.read(toScreen);
    } catch (ErrnoException e) {
      if (e.is(Errno.EIO)) { // the last process let go of the terminal
        return -1;
      }
      throw e;
    }
  }

  private void waitForOutput(OwnedDescriptor to) throws ErrnoException {
    if (outputWatch == null) {
      outputWatch = reactor.register(to, Reactor.WRITABLE, _ -> outputReady());
    } else {
      outputWatch.interest(Reactor.WRITABLE);
    }
  }

  private synchronized void outputReady() throws IOException {
    if (outputWatch != null) {
      outputWatch.interest(0);
    }
    pumpOutput();
  }

  /** From the client to the terminal, until one has nothing or no room, or others wait. */
  private synchronized void pumpInput() throws IOException {
    OwnedDescriptor from = input;
    OwnedDescriptor to = master;
    if (from == null || to == null || closed) {
      return;
    }
    int rounds = 0;
    while (true) {
      if (!typed.hasRemaining()) {
        if (rounds++ == ROUNDS) {
          interests();
          return;
        }
        typed.clear();
        int count = from.read(typed);
        typed.flip();
        if (count < 0) {
          closeInput();
          return;
        }
        if (count == 0) {
          interests();
          return;
        }
      }
      try {
        if (to.write(typed) == 0) {
          interests();
          return;
        }
      } catch (ErrnoException e) {
        if (!e.is(Errno.EIO)) {
          throw e;
        }
        closeInput(); // nobody is left to read it
        return;
      }
    }
  }

  private void interests() throws ErrnoException {
    if (masterWatch != null) {
      int wanted = toScreen.hasRemaining() || masterAtEnd ? 0 : Reactor.READABLE;
      masterWatch.interest(typed.hasRemaining() ? wanted | Reactor.WRITABLE : wanted);
    }
    if (inputWatch != null) {
      inputWatch.interest(typed.hasRemaining() ? 0 : Reactor.READABLE);
    }
  }

  private void closeInput() {
    if (inputWatch != null) {
      inputWatch.close();
      inputWatch = null;
    } else if (input != null) {
      input.close();
    }
    input = null;
    typed.position(typed.limit());
    if (inputKeeper != null) {
      inputKeeper.close();
      inputKeeper = null;
    }
  }

  private void finishOutput() {
    closeInput();
    if (masterWatch != null) {
      masterWatch.close();
      masterWatch = null;
    } else if (master != null) {
      master.close();
    }
    master = null;
    closeOutput();
    drained.countDown();
  }

  private void closeOutput() {
    if (outputWatch != null) {
      outputWatch.close();
      outputWatch = null;
    } else if (output != null) {
      output.close();
    }
    output = null;
  }

  @Override
  public synchronized void closeStdin() {
    if (inputKeeper != null) {
      inputKeeper.close();
      inputKeeper = null;
    }
  }

  @Override
  public synchronized boolean resize(WindowSize size) throws ErrnoException {
    OwnedDescriptor terminal = master;
    if (terminal != null) {
      Terminals.resize(terminal, size);
    }
    return true;
  }

  @Override
  public boolean drained(Duration limit) throws InterruptedException {
    return drained.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (!closed) {
        closed = true;
        finishOutput();
        if (outputKeeper != null) {
          outputKeeper.close();
          outputKeeper = null;
        }
      }
    }
    socket.close();
    if (logger.isPresent()) {
      logger.get().close();
    }
  }
}
