package io.jcontainerd.diff.processor;

import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.operation.Ending;
import io.jcontainerd.core.ports.Processes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What programs make of a layer's blob, read from its beginning to its end by one thread. A thread
 * of its own gives the blob to the first program.
 *
 * <p>The end is told only when all programs have ended well; so half of a layer is never taken for
 * the whole. Closing it kills what still runs.
 */
public final class ProcessedLayer implements ContentReader {
  private static final Duration LOOK_UP = Duration.ofMillis(200);

  /** Programs may take so long to end, and to tell why they failed. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private static final int PIECE = 128 << 10;

  /** Of what goes to a client: more than fits into a header is lost as a whole. */
  private static final int MAX_WORDS = 2048;

  private final String subject;
  private final List<String> ids;
  private final String mediaType;
  private final Processes.Pipeline programs;
  private final ContentReader blob;
  private final long mostBytes;
  private final Duration patience;
  private final Thread feeder;
  private volatile long moved = System.nanoTime();
  private volatile @Nullable Exception feedingFailed;
  private long position;
  private boolean ended;

  ProcessedLayer(
      String subject,
      List<String> ids,
      String mediaType,
      Processes.Pipeline programs,
      ContentReader blob,
      long mostBytes,
      Duration patience) {
    this.subject = subject;
    this.ids = ids;
    this.mediaType = mediaType;
    this.programs = programs;
    this.blob = blob;
    this.mostBytes = mostBytes;
    this.patience = patience;
    this.feeder = Thread.ofPlatform().name("feed-" + ids.getFirst()).daemon(true).start(this::feed);
  }

  /** What comes out. */
  public String mediaType() {
    return mediaType;
  }

  private void feed() {
    try {
      ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
      long at = 0;
      int count = blob.read(piece, at);
      while (count >= 0) {
        at += count;
        if (!given(piece.flip())) {
          return; // the first program wants no more; its end tells whether that is well
        }
        count = blob.read(piece.clear(), at);
      }
      programs.finish();
    } catch (InterruptedException _) {
      // it is being closed
    } catch (IOException | RuntimeException e) {
      feedingFailed = e;
    }
  }

  private boolean given(ByteBuffer piece) throws IOException, InterruptedException {
    while (piece.hasRemaining()) {
      int count = programs.give(piece, LOOK_UP);
      if (count < 0) {
        return false;
      }
      if (count > 0) {
        moved = System.nanoTime();
      }
    }
    return true;
  }

  /** Of the blob, for nobody knows what becomes of it. */
  @Override
  public long size() {
    return blob.size();
  }

  @Override
  public int read(ByteBuffer into, long from) {
    if (from != position) {
      throw new IllegalArgumentException("at " + position + ", not " + from);
    }
    if (ended) {
      return -1;
    }
    try {
      int count = taken(into);
      if (count < 0) {
        ended = true;
        checkEnds();
        return -1;
      }
      position += count;
      if (position > mostBytes) {
        throw new ResourceExhaustedException(
            "%s: stream processors %s make more than %d bytes of its %d"
                .formatted(subject, ids, mostBytes, blob.size()));
      }
      return count;
    } catch (IOException e) {
      throw new UnknownException(
          "%s: stream processors %s: %s".formatted(subject, ids, e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(subject, e);
    }
  }

  private int taken(ByteBuffer into) throws IOException, InterruptedException {
    while (true) {
      int count = programs.take(into, LOOK_UP);
      if (count != 0) {
        moved = System.nanoTime();
        return count;
      }
      checkFeeder();
      if (System.nanoTime() - moved > patience.toNanos()) {
        throw new UnavailableException(
            "%s: stream processors %s moved nothing for %d ms and were killed%s"
                .formatted(subject, ids, patience.toMillis(), lastWords()));
      }
    }
  }

  private void checkFeeder() {
    Exception failure = feedingFailed;
    if (failure instanceof ContainerdException known) {
      throw known;
    }
    if (failure != null) {
      throw new UnknownException(subject + ": " + failure.getMessage(), failure);
    }
  }

  /** All that was written is here; now all must have ended well. */
  private void checkEnds() throws IOException, InterruptedException {
    checkFeeder();
    List<Optional<Processes.Finished>> ends = programs.ends(min(LAST_WORDS, patience));
    failureOf(ends)
        .ifPresent(
            why -> {
              throw why;
            });
    for (int i = 0; i < ends.size(); i++) {
      if (ends.get(i).isEmpty()) {
        throw new UnavailableException(
            "%s: stream processor %s has closed its output and does not end"
                .formatted(subject, ids.get(i)));
      }
    }
  }

  private Optional<UnknownException> failureOf(List<Optional<Processes.Finished>> ends) {
    for (int i = 0; i < ends.size(); i++) {
      Optional<Processes.Finished> end = ends.get(i);
      if (end.isPresent() && end.get().status() != 0) {
        String words = text(end.get().error());
        return Optional.of(
            new UnknownException(
                "%s: stream processor %s ended with status %d%s"
                    .formatted(
                        subject,
                        ids.get(i),
                        end.get().status(),
                        words.isEmpty() ? "" : ": " + words)));
      }
    }
    return Optional.empty();
  }

  /** What programs that will not end have said so far is lost with them; others' words are kept. */
  private String lastWords() throws IOException, InterruptedException {
    return failureOf(programs.ends(Duration.ZERO)).map(e -> "; " + e.getMessage()).orElse("");
  }

  /**
   * Looks whether what came out is wrong because a program failed, which it may be about to say.
   *
   * @param broken what was wrong
   * @throws UnknownException if one did
   */
  public void explain(Exception broken) {
    try {
      ByteBuffer rest = ByteBuffer.allocateDirect(PIECE);
      long begun = System.nanoTime();
      while (System.nanoTime() - begun < LAST_WORDS.toNanos()
          && !ended
          && programs.take(rest.clear(), LOOK_UP) >= 0) {
        // what comes now is of no use
      }
      Optional<UnknownException> failure = failureOf(programs.ends(LOOK_UP));
      if (failure.isPresent()) {
        failure.get().addSuppressed(broken);
        throw failure.get();
      }
    } catch (IOException e) {
      broken.addSuppressed(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}+", " ").strip();
    return text.length() > MAX_WORDS ? text.substring(0, MAX_WORDS) + "…" : text;
  }

  /** Ends both sides; the blob is left open. */
  @Override
  public void close() {
    feeder.interrupt();
    Ending.await(feeder);
    try {
      programs.close();
    } catch (IOException e) {
      throw new UnknownException(subject + ": " + e.getMessage(), e);
    }
  }
}
