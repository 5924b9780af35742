package io.jcontainerd.client;

import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.tasks.Stdio;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The streams of a process, through FIFOs that exist and are read before the process does, so that
 * no byte is lost. Output is copied by a named platform thread for each stream; the thread ends
 * when the process and its children have closed the stream, or when this is closed.
 *
 * <p>Closing never waits for the process and removes the FIFOs.
 */
public final class ProcessIo implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(ProcessIo.class.getName());
  private static final int BUFFER = 64 << 10;

  /** For an output that nobody wants beside a stream that somebody does; shims fail on none. */
  private static final String NOWHERE = "/dev/null";

  private final Path folder;
  private final Stdio stdio;
  private final List<FileChannel> holders = new ArrayList<>();
  private final List<FileChannel> readers = new ArrayList<>();
  private final List<Thread> copiers = new ArrayList<>();
  private Optional<FileChannel> input = Optional.empty();

  private ProcessIo(Path folder, Stdio stdio) {
    this.folder = folder;
    this.stdio = stdio;
  }

  /** What a process shall be connected to. */
  public static final class Builder {
    private final Path parent;
    private boolean stdin;
    private boolean terminal;
    private Optional<OutputStream> stdout = Optional.empty();
    private Optional<OutputStream> stderr = Optional.empty();

    private Builder(Path parent) {
      this.parent = parent;
    }

    /** It can be written to; see {@link ProcessIo#stdin}. */
    public Builder stdin() {
      this.stdin = true;
      return this;
    }

    /** It gets a terminal; its errors go to its output. */
    public Builder terminal() {
      this.terminal = true;
      this.stdin = true;
      return this;
    }

    /** Where its output goes; that is written to by one thread and not closed. */
    public Builder stdout(OutputStream out) {
      this.stdout = Optional.of(out);
      return this;
    }

    /** Where its errors go; likewise. */
    public Builder stderr(OutputStream out) {
      this.stderr = Optional.of(out);
      return this;
    }

    /**
     * Makes the FIFOs and begins to read.
     *
     * @throws UnavailableException if they cannot be made
     */
    public ProcessIo open() {
      return ProcessIo.open(this);
    }
  }

  /**
   * Begins streams whose FIFOs lie in a fresh folder below the given one, which must be reachable
   * for the daemon under the same path.
   */
  public static Builder below(Path parent) {
    return new Builder(parent);
  }

  /** What a process printed, both streams in one. */
  public static ProcessIo collecting(Path parent, ByteArrayOutputStream into) {
    return below(parent).stdout(into).stderr(into).open();
  }

  private static ProcessIo open(Builder wanted) {
    try {
      Files.createDirectories(wanted.parent);
      Path folder = Files.createTempDirectory(wanted.parent, "io-");
      Optional<Path> in = wanted.stdin ? Optional.of(folder.resolve("stdin")) : Optional.empty();
      Optional<Path> out = wanted.stdout.map(_ -> folder.resolve("stdout"));
      Optional<Path> err =
          wanted.terminal ? Optional.empty() : wanted.stderr.map(_ -> folder.resolve("stderr"));
      boolean some = in.isPresent() || out.isPresent() || err.isPresent();
      String none = some && !wanted.terminal ? NOWHERE : "";
      ProcessIo io =
          new ProcessIo(
              folder, new Stdio(text(in, ""), text(out, none), text(err, none), wanted.terminal));
      try {
        io.make(in, out, err);
        if (in.isPresent()) {
          io.input = Optional.of(io.open(in.get(), StandardOpenOption.WRITE));
        }
        if (out.isPresent()) {
          io.copy(out.get(), wanted.stdout.orElseThrow());
        }
        if (err.isPresent()) {
          io.copy(err.get(), wanted.stderr.orElseThrow());
        }
        return io;
      } catch (IOException | RuntimeException e) {
        io.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UnavailableException("streams below " + wanted.parent + ": " + e.getMessage(), e);
    }
  }

  private static String text(Optional<Path> path, String otherwise) {
    return path.map(p -> p.toAbsolutePath().toString()).orElse(otherwise);
  }

  /** The JDK cannot make FIFOs; the program of that name can. */
  @SafeVarargs
  private void make(Optional<Path>... fifos) throws IOException {
    List<String> command = new ArrayList<>(List.of("mkfifo", "-m", "0600", "--"));
    for (Optional<Path> fifo : fifos) {
      fifo.ifPresent(f -> command.add(f.toString()));
    }
    if (command.size() == 4) {
      return;
    }
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.PIPE)
            .start();
    process.getOutputStream().close();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new IOException("mkfifo does not end");
      }
      if (process.exitValue() != 0) {
        throw new IOException(
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while making fifos", e);
    } finally {
      process.destroyForcibly();
    }
  }

  /** Opens one end without waiting for the other: a holder of both ends is there meanwhile. */
  private FileChannel open(Path fifo, StandardOpenOption end) throws IOException {
    holders.add(FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE));
    return FileChannel.open(fifo, end);
  }

  private void copy(Path fifo, OutputStream to) throws IOException {
    FileChannel from = open(fifo, StandardOpenOption.READ);
    readers.add(from);
    copiers.add(
        Thread.ofPlatform()
            .daemon()
            .name("jcontainerd-" + fifo.getFileName() + "-" + folder.getFileName())
            .start(() -> copy(from, to)));
  }

  private static void copy(FileChannel from, OutputStream to) {
    byte[] bytes = new byte[BUFFER];
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    boolean taken = true;
    try {
      while (from.read(buffer) >= 0) {
        taken = taken && handOn(bytes, buffer.position(), to);
        buffer.clear();
      }
    } catch (ClosedChannelException _) {
      // closed from this side
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "output of a process is lost", e);
    }
  }

  /** Returns whether it was taken. A process must not wait because nobody takes its output. */
  private static boolean handOn(byte[] bytes, int count, OutputStream to) {
    try {
      to.write(bytes, 0, count);
      to.flush();
      return true;
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "output of a process is not taken, and dropped", e);
      return false;
    }
  }

  /** What the daemon is told. */
  public Stdio stdio() {
    return stdio;
  }

  /**
   * Where the process reads from. Writing blocks while the process does not read. Closing it is
   * half of an end of input; {@link TaskProcessHandle#closeStdin} is the other.
   */
  public OutputStream stdin() {
    return Channels.newOutputStream(
        input.orElseThrow(() -> new IllegalStateException("these streams have no input")));
  }

  /** Called once the process holds its ends, so that their closing can be noticed. */
  void started() {
    for (FileChannel holder : holders) {
      closeQuietly(holder);
    }
    holders.clear();
  }

  /**
   * Waits until all output is copied.
   *
   * @throws DeadlineExceededException if somebody still holds the streams then
   */
  public void drain(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Thread copier : copiers) {
      long left = deadline - System.nanoTime();
      if (!copier.join(Duration.ofNanos(Math.max(1, left)))) {
        throw new DeadlineExceededException(
            "output of " + folder + " is not at its end within " + timeout.toMillis() + " ms");
      }
    }
  }

  @Override
  public void close() {
    started();
    input.ifPresent(ProcessIo::closeQuietly);
    readers.forEach(ProcessIo::closeQuietly);
    try {
      for (String name : List.of("stdin", "stdout", "stderr")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UnavailableException("streams in " + folder + ": " + e.getMessage(), e);
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "closing a fifo", e);
    }
  }
}
