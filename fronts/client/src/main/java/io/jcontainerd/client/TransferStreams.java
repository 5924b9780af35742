package io.jcontainerd.client;

import com.google.protobuf.Any;
import io.jcontainerd.api.types.transfer.AuthRequest;
import io.jcontainerd.api.types.transfer.Progress;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.wire.TransferMessages;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.ByteReceiver;
import io.jcontainerd.wire.streams.ByteSender;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The streams of one transfer, each served by a thread of its own. Closing ends all of them, those
 * that the daemon has not ended after a short while. For one thread.
 */
final class TransferStreams implements AutoCloseable {
  private static final Logger LOG = System.getLogger(TransferStreams.class.getName());

  /** How long the daemon may take to end a stream of a transfer that has ended. */
  private static final Duration FAREWELL = Duration.ofSeconds(1);

  /** How long the last lines of a log may take, on a machine with much to do. */
  private static final Duration LAST_LINES = Duration.ofSeconds(5);

  private final Connection connection;
  private final Set<String> saved = new LinkedHashSet<>(); // guarded by itself
  private final List<Served> served = new ArrayList<>();

  /** Failures of this side, each kept before the daemon can know of it and fail for it. */
  private final Queue<ContainerdException> ownFailures = new ConcurrentLinkedQueue<>();

  /**
   * A stream, and who serves it.
   *
   * @param ends whether the daemon ends it once all is said
   * @param farewell how long it may end later than the transfer
   */
  private record Served(
      RemoteStream stream, boolean ends, Duration farewell, FutureTask<Void> work, Thread thread) {}

  /** What serves a stream. */
  @FunctionalInterface
  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  /** A failure on this side of a stream, and so the cause of whatever fails on the other. */
  private static final class OwnFailure extends IOException {
    private static final long serialVersionUID = 1;

    OwnFailure(Exception cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** Something that may fail on this side. */
  @FunctionalInterface
  private interface Own<T> {
    T get() throws IOException;
  }

  private <T> T own(RemoteStream stream, Own<T> step) throws OwnFailure {
    try {
      return step.get();
    } catch (IOException | RuntimeException e) {
      OwnFailure failure = new OwnFailure(e);
      ownFailures.add(told(stream, failure));
      throw failure;
    }
  }

  TransferStreams(Connection connection) {
    this.connection = connection;
  }

  private RemoteStream open(String what) {
    try {
      return RemoteStream.open(connection, what);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("opening a stream to the daemon", e);
    }
  }

  private void serve(RemoteStream stream, boolean ends, Work work) {
    serve(stream, ends, FAREWELL, work);
  }

  private void serve(RemoteStream stream, boolean ends, Duration farewell, Work work) {
    FutureTask<Void> task =
        new FutureTask<>(
            Call.carrying(
                () -> {
                  work.run();
                  return null;
                }));
    Thread thread = Thread.ofVirtual().name("stream " + stream.id()).start(task);
    served.add(new Served(stream, ends, farewell, task, thread));
  }

  /** Tells the listener how it goes; returns the stream's id. */
  String progress(TransferListener listener) {
    RemoteStream stream = open("progress");
    serve(
        stream,
        true,
        () -> {
          for (var next = stream.receive(); next.isPresent(); next = stream.receive()) {
            hear(next.get(), listener);
          }
          stream.close();
        });
    return stream.id();
  }

  private void hear(Any message, TransferListener listener) {
    TransferProgress progress =
        TransferMessages.toCore(
            TypedValues.unpack(
                TypedValues.toCore(message),
                Progress.getDescriptor().getFullName(),
                Progress.parser()));
    if (progress.event().equals(TransferProgress.Event.SAVED)) {
      synchronized (saved) {
        saved.add(progress.name());
      }
    }
    listener.progress(progress);
  }

  /** The names that the daemon told to have saved. */
  Set<String> saved() {
    synchronized (saved) {
      return new LinkedHashSet<>(saved);
    }
  }

  /** Answers the daemon's questions for credentials; returns the stream's id. */
  String credentials(CredentialSource source) {
    RemoteStream stream = open("auth");
    serve(
        stream,
        false,
        () -> {
          boolean done = false;
          try {
            for (var next = stream.receive(); next.isPresent(); next = stream.receive()) {
              AuthRequest request =
                  TypedValues.unpack(
                      TypedValues.toCore(next.get()),
                      AuthRequest.getDescriptor().getFullName(),
                      AuthRequest.parser());
              RegistryCredential credential =
                  own(stream, () -> source.find(TransferMessages.toCore(request)));
              stream.send(TypedValues.packApi(TransferMessages.toApi(credential)));
            }
            stream.close();
            done = true;
          } finally {
            if (!done) {
              stream.fail("credentials cannot be told");
            }
          }
        });
    return stream.id();
  }

  /** Hears what is written down of requests; returns the stream's id. */
  String log(Consumer<String> lines) {
    RemoteStream stream = open("log");
    serve(
        stream,
        false,
        LAST_LINES,
        () -> {
          try (var in =
              new BufferedReader(
                  new InputStreamReader(new ByteReceiver(stream), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
              lines.accept(line);
            }
          }
        });
    return stream.id();
  }

  /** Sends bytes to the daemon; returns the stream's id. */
  String send(InputStream bytes) {
    RemoteStream stream = open("import");
    serve(
        stream,
        true,
        () -> {
          var out = new ByteSender(stream);
          boolean whole = false;
          byte[] buffer = new byte[ByteSender.CHUNK];
          try {
            for (int n = own(stream, () -> bytes.read(buffer)); n >= 0; ) {
              out.write(buffer, 0, n);
              n = own(stream, () -> bytes.read(buffer));
            }
            out.close();
            whole = true;
          } finally {
            if (!whole) {
              out.fail("the archive could not be read to its end");
            }
          }
        });
    return stream.id();
  }

  /** Takes bytes from the daemon; returns the stream's id. */
  String receive(OutputStream bytes) {
    RemoteStream stream = open("export");
    serve(
        stream,
        true,
        () -> {
          byte[] buffer = new byte[ByteSender.CHUNK];
          boolean whole = false;
          try (var in = new ByteReceiver(stream)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
              int count = n;
              own(
                  stream,
                  () -> {
                    bytes.write(buffer, 0, count);
                    return count;
                  });
            }
            bytes.flush();
            whole = true;
          } finally {
            if (!whole) {
              stream.fail("the archive could not be written");
            }
          }
        });
    return stream.id();
  }

  /**
   * Waits until what was sent before the end of the transfer has come, too.
   *
   * @param patience how long; zero is without limit
   */
  void await(Duration patience) {
    for (Served one : served) {
      if (!one.ends) {
        continue;
      }
      @Nullable ContainerdException failure = failure(one, patience);
      if (failure != null) {
        throw failure;
      }
    }
  }

  private static @Nullable ContainerdException failure(Served one, Duration patience) {
    try {
      if (patience.isZero()) {
        one.work.get();
      } else {
        one.work.get(patience.toNanos(), TimeUnit.NANOSECONDS);
      }
      return null;
    } catch (TimeoutException e) {
      return new UnavailableException("stream " + one.stream.id() + " does not end", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new CancelledException("waiting for stream " + one.stream.id(), e);
    } catch (ExecutionException e) {
      return told(one.stream, Objects.requireNonNullElse(e.getCause(), e));
    }
  }

  private static ContainerdException told(RemoteStream stream, Throwable failure) {
    return switch (failure) {
      case ContainerdException known -> known;
      case InterruptedIOException interrupted ->
          new CancelledException("stream " + stream.id(), interrupted);
      case IOException io when io.getCause() instanceof ContainerdException known -> known;
      default -> new UnavailableException("stream " + stream.id() + ": " + failure, failure);
    };
  }

  /**
   * The failure of this side that made the transfer fail, which tells more than the transfer does.
   */
  Optional<ContainerdException> ownFailure() {
    return Optional.ofNullable(ownFailures.peek());
  }

  @Override
  public void close() {
    CleanUp.run(
        () -> {
          for (Served one : served) {
            try {
              if (!one.thread.join(one.farewell)) {
                LOG.log(Level.DEBUG, "stream {0} is given up", one.stream.id());
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            one.stream.fail("the transfer has ended");
            one.thread.interrupt();
          }
        });
  }
}
