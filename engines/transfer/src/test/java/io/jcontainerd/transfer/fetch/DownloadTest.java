package io.jcontainerd.transfer.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.registry.Skipping;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One blob over one connection and over several. */
@Timeout(60)
class DownloadTest {
  private static final int PART = 64 << 10;

  private final byte[] bytes = new byte[3_000_000];
  private final Descriptor blob;
  private final VirtualTime time = new VirtualTime();
  private final InMemoryContentStore content = new InMemoryContentStore(time);
  private final Semaphore extra = new Semaphore(7);
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final List<Integer> passedOver = new CopyOnWriteArrayList<>();
  private final AtomicInteger open = new AtomicInteger();

  /** What a request for a range gets in place of the right bytes. */
  private interface Answer {
    Optional<InputStream> give(InputStream right, long from, int which) throws IOException;
  }

  private volatile @Nullable Thread taker;
  private int partBytes = PART;
  private int bytesPerMilli = 4096;
  private Answer whole = (right, _, _) -> Optional.of(slowly(right));
  private Answer part = (right, _, _) -> Optional.of(right);

  DownloadTest() {
    new Random(7).nextBytes(bytes);
    blob = new Descriptor("x", Digest.sha256(bytes), bytes.length);
  }

  /** Time passes with every read, while the taker waits for bytes. */
  private InputStream slowly(InputStream right) {
    return new InputStream() {
      @Override
      public int read() {
        throw new IllegalStateException("not used");
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        awaitWaiting();
        time.advance(Duration.ofMillis(1));
        return right.read(into, offset, Math.min(length, bytesPerMilli));
      }
    };
  }

  private void awaitWaiting() throws InterruptedIOException {
    Thread thread = taker;
    Soon.until(
        "the taker waits",
        () -> {
          if (Thread.interrupted()) {
            throw new InterruptedIOException("interrupted");
          }
          return thread == null || thread.getState() == Thread.State.WAITING;
        });
  }

  private final class Scripted implements Registry {
    private final AtomicInteger wholes = new AtomicInteger();
    private final AtomicInteger parts = new AtomicInteger();

    @Override
    public Descriptor resolve(String reference) {
      throw new NotFoundException(reference);
    }

    private InputStream range(long from, long until) {
      return new ByteArrayInputStream(Arrays.copyOfRange(bytes, (int) from, (int) until));
    }

    @Override
    public InputStream fetch(String reference, Descriptor descriptor, long offset) {
      asked.add("whole from " + offset);
      return counted(whole, range(offset, bytes.length), offset, wholes.incrementAndGet())
          .orElseThrow();
    }

    @Override
    public Optional<InputStream> fetchPart(
        String reference, Descriptor descriptor, long offset, long length) {
      asked.add("part " + offset + "+" + length);
      return counted(part, range(offset, offset + length), offset, parts.incrementAndGet());
    }

    @Override
    public InputStream fetchElsewhere(
        String reference, Descriptor descriptor, long offset, int past) {
      passedOver.add(past);
      return fetch(reference, descriptor, offset);
    }

    @Override
    public Optional<InputStream> fetchPartElsewhere(
        String reference, Descriptor descriptor, long offset, long length, int past) {
      passedOver.add(past);
      return fetchPart(reference, descriptor, offset, length);
    }

    private Optional<InputStream> counted(Answer answer, InputStream right, long from, int which) {
      try {
        return answer.give(right, from, which).map(Counted::new);
      } catch (IOException e) {
        throw new UnavailableException("scripted", e);
      }
    }

    @Override
    public boolean push(String reference, Descriptor descriptor, Source source) {
      return false;
    }

    @Override
    public List<String> tags(String reference) {
      return List.of();
    }
  }

  private final class Counted extends InputStream implements Skipping {
    private final InputStream in;
    private boolean closed;

    Counted(InputStream in) {
      this.in = in;
      open.incrementAndGet();
    }

    @Override
    public int read() throws IOException {
      return in.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      return in.read(into, offset, length);
    }

    @Override
    public long skipped() {
      return in instanceof Skipping skipping ? skipping.skipped() : 0;
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
      }
    }
  }

  private FetchLimits limits() {
    return new FetchLimits(
        partBytes,
        8,
        extra,
        Duration.ofSeconds(10),
        Duration.ofSeconds(120),
        Duration.ofMillis(20));
  }

  private void download(LongConsumer progress) throws InterruptedException {
    taker = Thread.currentThread();
    Call.in("test")
        .call(
            () -> {
              try (Ingest ingest =
                      content.ingest(
                          new IngestRequest("ref", blob.size(), Optional.of(blob.digest())));
                  Download download = new Download(new Scripted(), "r/i:1", blob, limits(), time)) {
                download.into(ingest, progress);
                Digest _ = ingest.commit(blob.size(), Optional.of(blob.digest()), Map.of());
                return null;
              }
            });
  }

  private void assertAllEnded() {
    assertThat(open).as("connections").hasValue(0);
    assertThat(extra.availablePermits()).isEqualTo(7);
  }

  private void assertThere() {
    Call.in("test").run(() -> assertThat(content.find(blob.digest())).isPresent());
    assertAllEnded();
  }

  private long parts() {
    return asked.stream().filter(a -> a.startsWith("part")).count();
  }

  @Test
  void one_fast_connection_stays_alone() throws InterruptedException {
    whole = (right, _, _) -> Optional.of(right);
    download(_ -> {});
    assertThat(asked).containsExactly("whole from 0");
    assertThat(passedOver).containsExactly(0);
    assertThere();
  }

  @Test
  void a_connection_that_is_waited_for_gets_company() throws InterruptedException {
    List<Long> told = new ArrayList<>();
    download(told::add);
    assertThat(parts()).isPositive();
    assertThat(asked.getFirst()).isEqualTo("whole from 0");
    assertThat(told).isSorted().last().isEqualTo(blob.size());
    assertThere();
  }

  @Test
  void a_registry_without_parts_is_asked_for_them_once_and_then_for_the_rest()
      throws InterruptedException {
    part = (_, _, _) -> Optional.empty();
    download(_ -> {});
    assertThat(asked.getLast()).startsWith("whole from ").isNotEqualTo("whole from 0");
    assertThere();
  }

  @Test
  void connections_that_are_not_to_be_had_are_done_without() throws InterruptedException {
    extra.acquire(7);
    download(_ -> {});
    extra.release(7);
    assertThat(asked).containsExactly("whole from 0");
    assertThere();
  }

  @Test
  void parts_that_break_are_asked_for_where_they_broke() throws InterruptedException {
    part = (right, _, which) -> Optional.of(which % 3 == 0 ? new Broken(right, 1000) : right);
    download(_ -> {});
    assertThat(asked).anyMatch(a -> a.matches("part \\d+\\+" + (PART - 1000)));
    assertThat(passedOver).as("the next who has it is asked").contains(1);
    assertThere();
  }

  @Test
  void parts_that_never_come_are_given_up_for_one_connection() throws InterruptedException {
    part = (right, _, _) -> Optional.of(new Broken(right, 0));
    download(_ -> {});
    assertThat(asked.getLast()).startsWith("whole from ");
    assertThere();
  }

  @Test
  void a_part_that_is_refused_is_tried_over_one_connection() throws InterruptedException {
    part =
        (_, _, _) -> {
          throw new IOException("not you");
        };
    download(_ -> {});
    assertThat(asked.getLast()).startsWith("whole from ");
    assertThere();
  }

  @Test
  void a_part_that_hangs_is_asked_for_again() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    part = (right, _, which) -> Optional.of(which == 2 ? new Silent(right, 5000, hangs) : right);
    FutureTask<Boolean> result = begin();
    hangs.await();
    time.awaitSleepers(1);
    time.advance(Duration.ofSeconds(13)); // at once: nobody sleeps any more when all has come
    assertThat(result.get()).isTrue();
    assertThat(asked).anyMatch(a -> a.matches("part \\d+\\+" + (PART - 5000)));
    assertThat(passedOver).as("the next who has it is asked").contains(1);
    assertThere();
  }

  @Test
  void a_blob_that_stalls_in_the_middle_comes_from_the_next_who_has_it() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    whole =
        (right, _, which) -> Optional.of(which == 1 ? new Silent(right, 400_000, hangs) : right);
    FutureTask<Boolean> result = begin();
    hangs.await();
    Call.in("test").run(this::awaitSomeBytes);
    time.awaitSleepers(1);
    time.advance(Duration.ofSeconds(13)); // at once: nobody sleeps any more when all has come
    assertThat(result.get()).isTrue();
    assertThat(asked).startsWith("whole from 0", "whole from 400000");
    assertThat(passedOver).startsWith(0, 1);
    assertThere();
  }

  @Test
  void who_has_not_answered_yet_is_given_time() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    whole =
        (right, _, _) -> {
          arrived.countDown();
          try {
            gate.await();
          } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
          }
          return Optional.of(right);
        };
    FutureTask<Boolean> result = begin();
    arrived.await();
    for (int i = 0; i < 20; i++) {
      time.awaitSleepers(1);
      time.advance(Duration.ofSeconds(3));
    }
    gate.countDown();
    assertThat(result.get()).isTrue();
    assertThat(passedOver).containsOnly(0);
    assertThere();
  }

  private FutureTask<Boolean> begin() {
    FutureTask<Boolean> result =
        new FutureTask<>(
            () -> {
              download(_ -> {});
              return true;
            });
    Thread _ = Thread.ofVirtual().start(result);
    return result;
  }

  @Test
  void a_registry_that_hangs_is_given_up_after_a_while_and_what_came_is_kept() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    whole = (right, _, which) -> Optional.of(new Silent(right, which == 1 ? 400_000 : 0, hangs));
    FutureTask<Boolean> result = begin();
    hangs.await();
    Call.in("test").run(this::awaitSomeBytes); // what came counts from when it was taken
    for (int i = 0; i < 3; i++) {
      time.awaitSleepers(1);
      time.advance(Duration.ofSeconds(30));
    }
    assertThat(result.isDone()).as("after 90 seconds").isFalse();
    Soon.until(
        "it gives up",
        () -> {
          time.advance(Duration.ofSeconds(3));
          return result.isDone();
        });
    assertThatThrownBy(result::get)
        .hasCauseInstanceOf(UnavailableException.class)
        .hasMessageContaining("not a byte came for 120 seconds");
    Call.in("test").run(() -> assertThat(content.status("ref").offset()).isPositive());
    assertAllEnded();
  }

  private void awaitSomeBytes() {
    Soon.until("the first bytes", () -> content.status("ref").offset() > 0);
  }

  /** Before its bytes come others, as many as are told of. */
  private static final class Prefixed extends InputStream implements Skipping {
    private final InputStream in;
    private final AtomicLong prefix;
    private final CountDownLatch arrived;
    private final CountDownLatch gate;

    Prefixed(InputStream in, AtomicLong prefix, CountDownLatch arrived, CountDownLatch gate) {
      this.in = in;
      this.prefix = prefix;
      this.arrived = arrived;
      this.gate = gate;
    }

    @Override
    public int read() {
      throw new IllegalStateException("not used");
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      arrived.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new InterruptedIOException("interrupted");
      }
      return in.read(into, offset, length);
    }

    @Override
    public long skipped() {
      return prefix.get();
    }
  }

  @Test
  void who_sends_what_is_there_already_is_not_silent() throws Exception {
    AtomicLong prefix = new AtomicLong();
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    whole = (right, _, _) -> Optional.of(new Prefixed(right, prefix, arrived, gate));
    FutureTask<Boolean> result = begin();
    arrived.await();
    for (int i = 0; i < 50; i++) { // longer than any patience
      time.awaitSleepers(1);
      prefix.addAndGet(1000);
      time.advance(Duration.ofSeconds(3));
    }
    time.awaitSleepers(1);
    assertThat(result.isDone()).isFalse();
    gate.countDown();
    assertThat(result.get()).isTrue();
    // what follows may come in parts, too
    assertThat(asked).filteredOn(it -> it.startsWith("whole")).containsExactly("whole from 0");
    assertThere();
  }

  @Test
  void silence_is_counted_over_all_connections_that_are_tried() throws Exception {
    CountDownLatch hangs = new CountDownLatch(7);
    whole =
        (right, _, which) -> Optional.of(which == 1 ? slowly(right) : new Silent(right, 0, hangs));
    part = (right, _, _) -> Optional.of(new Silent(right, 0, hangs));
    FutureTask<Boolean> result = begin();
    awaitCount(hangs, 5);
    for (int left : new int[] {3, 1, 0}) { // twice two parts again, and the rest as a whole
      time.awaitSleepers(1);
      time.advance(Duration.ofSeconds(13));
      awaitCount(hangs, left);
    }
    time.awaitSleepers(1);
    time.advance(Duration.ofSeconds(80));
    time.awaitSleepers(1);
    assertThat(result.isDone()).as("after 119 seconds").isFalse();
    time.advance(Duration.ofSeconds(10));
    assertThatThrownBy(result::get).hasMessageContaining("not a byte came for 120 seconds");
    assertThat(asked.getLast()).startsWith("whole from ");
    assertAllEnded();
  }

  private static void awaitCount(CountDownLatch latch, int left) throws InterruptedException {
    Soon.until(
        "no more than " + left,
        () -> {
          if (Thread.interrupted()) {
            throw new InterruptedException(latch + " instead of " + left);
          }
          return latch.getCount() <= left;
        });
  }

  @Test
  void parts_are_small_where_little_comes_in_half_a_second() throws InterruptedException {
    partBytes = 400 << 10;
    bytesPerMilli = 1000;
    download(_ -> {});
    assertThat(asked.stream().filter(a -> a.startsWith("part")).findFirst().orElseThrow())
        .endsWith("+" + (256 << 10));
    assertThere();
  }

  @Test
  void a_reader_that_is_slow_to_take_is_no_reason_to_give_up() throws Exception {
    whole = (right, _, _) -> Optional.of(right);
    download(_ -> time.advance(Duration.ofSeconds(200)));
    assertThere();
  }

  @Test
  void a_broken_connection_fails_with_what_it_said() {
    whole = (right, _, _) -> Optional.of(new Broken(right, 100));
    assertThatThrownBy(() -> download(_ -> {}))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("image r/i:1: content " + blob.digest() + ": the line broke");
    Call.in("test").run(() -> assertThat(content.status("ref").offset()).isEqualTo(100));
    assertAllEnded();
  }

  @Test
  void an_interrupt_ends_all_connections() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    whole = (right, _, _) -> Optional.of(new Silent(right, 400_000, hangs));
    FutureTask<Boolean> result =
        new FutureTask<>(
            () -> {
              download(_ -> {});
              return true;
            });
    Thread thread = Thread.ofVirtual().start(result);
    hangs.await();
    thread.interrupt();
    assertThatThrownBy(result::get).hasCauseInstanceOf(InterruptedException.class);
    assertAllEnded();
  }

  /** Breaks after so many bytes. */
  private static final class Broken extends InputStream {
    private final InputStream in;
    private int left;

    Broken(InputStream in, int left) {
      this.in = in;
      this.left = left;
    }

    @Override
    public int read() {
      throw new IllegalStateException("not used");
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0) {
        throw new IOException("the line broke");
      }
      int count = in.read(into, offset, Math.min(left, length));
      left -= count;
      return count;
    }
  }

  /** Says nothing more after so many bytes, until interrupted. */
  private static final class Silent extends InputStream {
    private final InputStream in;
    private final CountDownLatch hangs;
    private int left;

    Silent(InputStream in, int left, CountDownLatch hangs) {
      this.in = in;
      this.left = left;
      this.hangs = hangs;
    }

    @Override
    public int read() {
      throw new IllegalStateException("not used");
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0) {
        hangs.countDown();
        try {
          new CountDownLatch(1).await();
        } catch (InterruptedException e) {
          throw new InterruptedIOException("interrupted");
        }
      }
      int count = in.read(into, offset, Math.min(left, length));
      left -= count;
      return count;
    }
  }
}
