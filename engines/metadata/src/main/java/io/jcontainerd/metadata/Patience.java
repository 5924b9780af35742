package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How long backends are waited for that other programs serve: a moment for each answer, a while in
 * one sweep, and not at all for some time after one was not given. Backends of this process have as
 * much time as they need. For one thread at a time.
 */
final class Patience {
  /** The owner of blobs; snapshotters have names. */
  static final String CONTENT = "";

  /** The owner of what is never outside; no snapshotter is called so. */
  static final String HERE = " ";

  private static final System.Logger LOG = System.getLogger(Patience.class.getName());
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final Duration SWEEP = Duration.ofMinutes(1);
  private static final Duration SILENCE = Duration.ofMinutes(1);

  private final MetadataOptions.Outside outside;
  private final Time time;
  private final Map<String, Instant> sweepEnds = new HashMap<>();
  private final Map<String, Instant> silentUntil = new HashMap<>();

  Patience(MetadataOptions.Outside outside, Time time) {
    this.outside = outside;
    this.time = time;
  }

  /** Whether another program serves the backend. */
  boolean isOutside(String owner) {
    return owner.equals(CONTENT) ? outside.content() : outside.snapshotters().contains(owner);
  }

  boolean anyOutside() {
    return outside.content() || !outside.snapshotters().isEmpty();
  }

  void beginSweep() {
    sweepEnds.clear();
  }

  /** Whether it is worth asking the backend. */
  boolean mayAsk(String owner) {
    if (!isOutside(owner)) {
      return true;
    }
    Instant now = time.now();
    return !now.isBefore(silentUntil.getOrDefault(owner, Instant.MIN))
        && now.isBefore(sweepEnds.computeIfAbsent(owner, _ -> now.plus(SWEEP)));
  }

  /**
   * Asks the backend something.
   *
   * @throws DeadlineExceededException if it does not answer; it is left alone then for a while
   */
  void ask(String owner, Call call, Runnable question) {
    if (!isOutside(owner)) {
      call.run(question);
      return;
    }
    Instant deadline = time.now().plus(ANSWER);
    try {
      new Call(call.namespaceHeader(), call.lease(), Optional.of(deadline)).run(question);
      if (!time.now().isBefore(deadline)) {
        beSilent(owner); // whoever asked went on without the answer
      }
    } catch (DeadlineExceededException e) {
      beSilent(owner);
      throw e;
    }
  }

  private void beSilent(String owner) {
    silentUntil.put(owner, time.now().plus(SILENCE));
    LOG.log(
        System.Logger.Level.WARNING,
        "{0}, which another program serves, does not answer: nothing is removed from it for {1} s",
        owner.equals(CONTENT) ? "the content store" : "snapshotter " + owner,
        SILENCE.toSeconds());
  }
}
