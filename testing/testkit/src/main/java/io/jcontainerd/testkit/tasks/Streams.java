package io.jcontainerd.testkit.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.tasks.Stdio;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The client's side of a process's streams: FIFOs in a folder, each read or written by a thread of
 * its own that waits for the other end, as Go's client does.
 */
public final class Streams implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final Optional<Path> in;
  private final Path out;
  private final Optional<Path> err;
  private final boolean terminal;
  private final Reader output;
  private final Optional<Reader> errors;
  private final Optional<OutputStream> input;

  private Streams(Path folder, String name, boolean withInput, boolean terminal)
      throws IOException, InterruptedException {
    this.terminal = terminal;
    in = withInput ? Optional.of(fifo(folder.resolve(name + "-stdin"))) : Optional.empty();
    out = fifo(folder.resolve(name + "-stdout"));
    err = terminal ? Optional.empty() : Optional.of(fifo(folder.resolve(name + "-stderr")));
    output = new Reader(out);
    errors = err.map(Reader::new);
    input = in.map(Streams::writing);
  }

  /** Output and errors. */
  public static Streams output(Path folder, String name) throws IOException, InterruptedException {
    return new Streams(folder, name, false, false);
  }

  /** Input, output and errors. */
  public static Streams all(Path folder, String name) throws IOException, InterruptedException {
    return new Streams(folder, name, true, false);
  }

  /** A terminal. */
  public static Streams terminal(Path folder, String name)
      throws IOException, InterruptedException {
    return new Streams(folder, name, true, true);
  }

  /** Makes a FIFO. */
  public static Path fifo(Path path) throws IOException, InterruptedException {
    Process made = new ProcessBuilder("mkfifo", "-m", "700", path.toString()).start();
    assertThat(made.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(made.exitValue()).as("mkfifo %s", path).isZero();
    return path;
  }

  /** Opened for both ways, so that opening does not wait. */
  private static OutputStream writing(Path fifo) {
    try {
      var file = new java.io.RandomAccessFile(fifo.toFile(), "rw");
      return new OutputStream() {
        @Override
        public void write(int one) throws IOException {
          file.write(one);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
          file.write(bytes, from, count);
        }

        @Override
        public void close() throws IOException {
          file.close();
        }
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As the daemon is told. */
  public Stdio stdio() {
    return new Stdio(
        in.map(Path::toString).orElse(""),
        out.toString(),
        err.map(Path::toString).orElse(""),
        terminal);
  }

  /** Types. */
  public void type(String text) throws IOException {
    OutputStream typing = input.orElseThrow();
    typing.write(text.getBytes(UTF_8));
    typing.flush();
  }

  /** Gives up the client's end of the input. */
  public void endInput() throws IOException {
    input.orElseThrow().close();
  }

  /** What came out so far. */
  public String out() {
    return output.text();
  }

  /** Waits until the output contains the words. */
  public void awaitOut(String words) throws InterruptedException {
    output.await(words);
  }

  /** All of the output, once it has ended. */
  public String wholeOut() throws InterruptedException {
    return output.whole();
  }

  /** All that was written to the standard error, once it has ended. */
  public String wholeErr() throws InterruptedException {
    return errors.orElseThrow().whole();
  }

  /** Leaves without reading on, as a client that dies. */
  public void leave() throws IOException {
    output.leave();
    if (errors.isPresent()) {
      errors.get().leave();
    }
  }

  @Override
  public void close() throws IOException {
    if (input.isPresent()) {
      input.get().close();
    }
    leave();
    List<Path> made = new ArrayList<>(List.of(out));
    in.ifPresent(made::add);
    err.ifPresent(made::add);
    for (Path path : made) {
      Files.deleteIfExists(path);
    }
  }

  /** Reads one FIFO to its end. */
  private static final class Reader {
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final InputStream stream;
    private boolean ended;

    /** Opened for both ways first, so that opening does not wait for a writer. */
    Reader(Path fifo) {
      try (var _ = new java.io.RandomAccessFile(fifo.toFile(), "rw")) {
        stream = Files.newInputStream(fifo);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      begin(fifo);
    }

    private void begin(Path fifo) {
      Thread.ofPlatform()
          .daemon()
          .name("read " + fifo.getFileName())
          .start(
              () -> {
                byte[] bytes = new byte[16 * 1024];
                boolean began = false;
                try {
                  while (true) {
                    int count = stream.read(bytes);
                    if (count > 0) {
                      began = true;
                      add(bytes, count);
                    } else if (isOver(began)) {
                      end();
                      return;
                    } else {
                      Thread.sleep(2); // without a writer yet, a FIFO reads as ended
                    }
                  }
                } catch (IOException e) {
                  end();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
    }

    private synchronized void add(byte[] bytes, int count) {
      read.write(bytes, 0, count);
      notifyAll();
    }

    private boolean mayEnd;

    /** An end is one when the writer is known to have been there. */
    private synchronized boolean isOver(boolean began) {
      return began || mayEnd;
    }

    private synchronized void end() {
      ended = true;
      notifyAll();
    }

    synchronized String text() {
      return read.toString(UTF_8);
    }

    synchronized void await(String words) throws InterruptedException {
      long deadline = System.nanoTime() + LIMIT.toNanos();
      while (!text().contains(words)) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        assertThat(left).as("time left for «%s»; read so far: %s", words, text()).isPositive();
        wait(left);
      }
    }

    /** To be asked for when the process has ended and was deleted. */
    synchronized String whole() throws InterruptedException {
      mayEnd = true;
      long deadline = System.nanoTime() + LIMIT.toNanos();
      while (!ended) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        assertThat(left).as("time left for the end; read so far: %s", text()).isPositive();
        wait(left);
      }
      return text();
    }

    void leave() throws IOException {
      stream.close();
    }
  }
}
