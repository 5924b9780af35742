package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.Fifos;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.OwnedDescriptor.Access;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Streams that go straight from the process to a FIFO or file; nothing is copied and nothing
 * depends on this host being alive.
 *
 * <p>An output FIFO is opened for reading and writing, so the process is a reader of its own and a
 * vanished client cannot kill it with SIGPIPE. The host keeps a reading end until the process is
 * deleted, so that what was written last is still there for a client that comes late; it is no
 * writer, so a client sees the end when the process has ended. On an input FIFO the host keeps a
 * writing end, so that the process does not see an end before somebody asks for it by CloseIO. A
 * stream that nobody named is {@code /dev/null}.
 */
final class DirectIo implements ProcessIo {
  private static final Path NULL = Path.of("/dev/null");

  private final Map<Integer, OwnedDescriptor> given = new HashMap<>();
  private final List<OwnedDescriptor> kept = new ArrayList<>();
  private Optional<OwnedDescriptor> stdinKeeper = Optional.empty();

  private DirectIo() {}

  /** Opens the streams of a process that is about to be started. */
  static DirectIo open(Stdio stdio, RuntimeOptions options) throws IOException {
    DirectIo io = new DirectIo();
    try {
      if (!stdio.stdin().isEmpty()) {
        io.openInput(StdioUri.path(stdio.stdin()), options);
      }
      if (!stdio.stdout().isEmpty()) {
        OwnedDescriptor output = io.openOutput(StdioUri.parse(stdio.stdout()), options);
        io.given.put(1, output);
        if (stdio.stderr().equals(stdio.stdout())) {
          io.given.put(2, output.duplicate(0));
        }
      }
      if (!stdio.stderr().isEmpty() && !stdio.stderr().equals(stdio.stdout())) {
        io.given.put(2, io.openOutput(StdioUri.parse(stdio.stderr()), options));
      }
      for (int stream = 0; stream <= 2; stream++) {
        // else it would get what the runtime has, a pipe that ends with the runtime's command
        if (!io.given.containsKey(stream)) {
          io.given.put(stream, OwnedDescriptor.open(NULL, Access.READ_WRITE));
        }
      }
      return io;
    } catch (IOException | RuntimeException e) {
      io.close();
      throw e;
    }
  }

  /** Opens only what the host keeps, for a process that runs already. */
  static DirectIo reopen(Stdio stdio, boolean stdinClosed) throws IOException {
    DirectIo io = new DirectIo();
    try {
      if (!stdio.stdin().isEmpty() && !stdinClosed) {
        Path path = StdioUri.path(stdio.stdin());
        if (Fifos.isFifo(path)) {
          io.reopenInput(path);
        }
      }
      for (String output : List.of(stdio.stdout(), stdio.stderr())) {
        if (!output.isEmpty() && StdioUri.parse(output).isPath()) {
          Path path = StdioUri.path(output);
          if (Fifos.isFifo(path)) {
            io.kept.add(OwnedDescriptor.open(path, Access.READ_NONBLOCKING));
          }
        }
      }
      return io;
    } catch (IOException | RuntimeException e) {
      io.close();
      throw e;
    }
  }

  private void openInput(Path path, RuntimeOptions options) throws IOException {
    if (!Fifos.isFifo(path)) {
      given.put(0, OwnedDescriptor.open(path, Access.READ));
      return;
    }
    own(path, options);
    // with both ends open at once neither of the two single opens has to wait for the other
    try (OwnedDescriptor _ = OwnedDescriptor.open(path, Access.READ_WRITE)) {
      given.put(0, OwnedDescriptor.open(path, Access.READ));
      stdinKeeper = Optional.of(OwnedDescriptor.open(path, Access.WRITE));
    }
  }

  private void reopenInput(Path path) throws IOException {
    try {
      stdinKeeper = Optional.of(OwnedDescriptor.open(path, Access.WRITE_NONBLOCKING));
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENXIO)) { // the process reads no more, so there is no end to keep from it
        throw e;
      }
    }
  }

  private OwnedDescriptor openOutput(StdioUri uri, RuntimeOptions options) throws IOException {
    return switch (uri.scheme()) {
      case "file" -> openFile(uri.path());
      case "fifo" -> openPath(uri.path(), options);
      default ->
          throw new InvalidArgumentException("stdio scheme " + uri.scheme() + " is not supported");
    };
  }

  private static OwnedDescriptor openFile(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    return OwnedDescriptor.open(path, Access.APPEND);
  }

  private OwnedDescriptor openPath(Path path, RuntimeOptions options) throws IOException {
    if (!Fifos.isFifo(path)) {
      if (!Files.exists(path)) {
        throw new ErrnoException("open", path.toString(), Errno.ENOENT);
      }
      return OwnedDescriptor.open(path, Access.APPEND);
    }
    own(path, options);
    OwnedDescriptor both = OwnedDescriptor.open(path, Access.READ_WRITE);
    try {
      kept.add(OwnedDescriptor.open(path, Access.READ_NONBLOCKING));
      return both;
    } catch (ErrnoException e) {
      both.close();
      throw e;
    }
  }

  /** Pipes belong to the ids that the options name. */
  private static void own(Path path, RuntimeOptions options) throws IOException {
    if (options.ioUid() != 0) {
      Files.setAttribute(path, "unix:uid", options.ioUid());
    }
    if (options.ioGid() != 0) {
      Files.setAttribute(path, "unix:gid", options.ioGid());
    }
  }

  @Override
  public synchronized Map<Integer, OwnedDescriptor> descriptors() {
    return Map.copyOf(given);
  }

  @Override
  public Optional<Path> consoleSocket() {
    return Optional.empty();
  }

  @Override
  public synchronized void started() {
    given.values().forEach(OwnedDescriptor::close);
    given.clear();
  }

  @Override
  public synchronized void closeStdin() {
    stdinKeeper.ifPresent(OwnedDescriptor::close);
    stdinKeeper = Optional.empty();
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
  public synchronized void close() {
    started();
    closeStdin();
    kept.forEach(OwnedDescriptor::close);
    kept.clear();
  }
}
