package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord.Following;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class StoredEventRecordTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int KEPT = 10;

  /** So many, or more, are let go of at a time. */
  private static final int MANY = 400;

  @TempDir Path folder;
  private Store store;
  private StoredEvents events;
  private StoredEventRecord record;

  @BeforeEach
  void open() {
    store =
        Store.open(
            folder.resolve("store.db"),
            StoreOptions.DEFAULTS.withEventsKept(KEPT),
            List.of(Metadata.SCHEMA));
    events = new StoredEvents(store);
    record = new StoredEventRecord(store);
  }

  @AfterEach
  void close() {
    store.close();
  }

  private long publish(String topic) {
    return events.publish(
        new Event(Instant.EPOCH, "ns", topic, new TypedValue("type", new byte[0])));
  }

  private static Told next(Following following) throws InterruptedException {
    return following.next(LONG).orElseThrow();
  }

  private static long number(Told told) {
    assertThat(told).isInstanceOf(Told.Happened.class);
    return ((Told.Happened) told).event().number();
  }

  @Test
  void it_begins_after_a_number_and_goes_on_with_what_comes() throws Exception {
    long first = publish("/one");
    publish("/two");
    try (Following following = record.follow(new From.After(first), _ -> true)) {
      publish("/three");
      assertThat(next(following)).isEqualTo(new Told.Begun(first));
      assertThat(number(next(following))).isEqualTo(first + 1);
      assertThat(number(next(following))).isEqualTo(first + 2);
      assertThat(following.next(Duration.ofMillis(1))).isEmpty();
      publish("/four");
      assertThat(number(next(following))).isEqualTo(first + 3);
    }
  }

  private boolean tell(String teller, long sequence) {
    return events.publishOnce(
        new Event.Origin(teller, sequence),
        new Event(
            Instant.EPOCH, "ns", "/" + teller + sequence, new TypedValue("type", new byte[0])));
  }

  @Test
  void an_event_that_is_told_again_is_recorded_once_also_by_the_next_daemon() throws Exception {
    long before = publish("/before");
    assertThat(tell("host", 1)).isTrue();
    assertThat(tell("host", 1)).isFalse();
    assertThat(tell("other", 1)).isTrue();
    assertThat(tell("host", 4)).isTrue();
    close();
    open();
    assertThat(tell("host", 4)).isFalse();
    assertThat(tell("host", 3)).isFalse();
    assertThat(tell("host", 5)).isTrue();
    assertThat(publish("/after")).isEqualTo(before + 5); // no gap where something was left out
    try (Following following = record.follow(new From.After(before), _ -> true)) {
      assertThat(next(following)).isEqualTo(new Told.Begun(before));
      for (String topic : List.of("/host1", "/other1", "/host4", "/host5", "/after")) {
        assertThat(((Told.Happened) next(following)).event().event().topic()).isEqualTo(topic);
      }
    }
  }

  @Test
  void it_begins_with_the_oldest_or_with_what_comes_from_now_on() throws Exception {
    long first = publish("/one");
    try (Following oldest = record.follow(new From.Oldest(), _ -> true);
        Following now = record.follow(new From.Now(), _ -> true)) {
      assertThat(next(oldest)).isEqualTo(new Told.Begun(0));
      assertThat(number(next(oldest))).isEqualTo(first);
      assertThat(next(now)).isEqualTo(new Told.Begun(first));
      long second = publish("/two");
      assertThat(number(next(now))).isEqualTo(second);
    }
  }

  @Test
  void what_is_no_longer_kept_is_told_as_a_gap() throws Exception {
    for (int i = 0; i < MANY; i++) {
      publish("/many");
    }
    long floor = store.eventsFloor();
    assertThat(floor).isPositive();
    try (Following following = record.follow(new From.After(3), _ -> true)) {
      assertThat(next(following)).isEqualTo(new Told.Begun(3));
      assertThat(next(following)).isEqualTo(new Told.Gap(4, floor));
      for (long number = floor + 1; number <= MANY; number++) {
        assertThat(number(next(following))).isEqualTo(number);
      }
    }
  }

  @Test
  void a_reader_that_is_too_slow_is_told_what_it_missed() throws Exception {
    long known = publish("/known");
    try (Following following = record.follow(new From.After(known), _ -> true)) {
      assertThat(next(following)).isEqualTo(new Told.Begun(known));
      assertThat(following.next(Duration.ofMillis(1))).isEmpty(); // it has caught up
      int tooMany = 5000; // more than wait in memory
      for (int i = 0; i < tooMany; i++) {
        publish("/many");
      }
      long expected = known + 1;
      boolean gap = false;
      while (expected <= known + tooMany) {
        switch (next(following)) {
          case Told.Gap(long first, long last) -> {
            assertThat(first).isEqualTo(expected);
            expected = last + 1;
            gap = true;
          }
          case Told.Happened(Event.Numbered event) -> {
            assertThat(event.number()).isEqualTo(expected);
            expected++;
          }
          case Told.Begun(long after) -> throw new AssertionError("begun again at " + after);
          case Told.Position(long after) -> assertThat(after).isLessThan(expected);
        }
      }
      assertThat(gap).isTrue();
    }
  }

  @Test
  void while_nothing_is_wanted_it_tells_how_far_it_is() throws Exception {
    try (Following following =
        record.follow(new From.Oldest(), event -> event.topic().equals("/wanted"))) {
      assertThat(next(following)).isEqualTo(new Told.Begun(0));
      publish("/other");
      long other = publish("/other");
      Told told = next(following);
      while (!told.equals(new Told.Position(other))) {
        assertThat(told).isInstanceOf(Told.Position.class);
        told = next(following);
      }
      assertThat(following.next(Duration.ofMillis(1))).isEmpty();
      long wanted = publish("/wanted");
      assertThat(number(next(following))).isEqualTo(wanted);
    }
  }

  @Test
  void a_number_that_never_was_is_refused() {
    long last = publish("/one");
    assertThatThrownBy(() -> record.follow(new From.After(last + 1), _ -> true))
        .isInstanceOf(OutOfRangeException.class);
  }

  @Test
  void the_numbers_go_on_after_a_restart() throws Exception {
    long before = publish("/one");
    store.close();
    open();
    try (Following following = record.follow(new From.After(before), _ -> true)) {
      assertThat(next(following)).isEqualTo(new Told.Begun(before));
      publish("/two");
      assertThat(number(next(following))).isEqualTo(before + 1);
    }
  }

  @Test
  void it_ends_with_the_store() throws Exception {
    try (Following following = record.follow(new From.Now(), _ -> true)) {
      assertThat(next(following)).isInstanceOf(Told.Begun.class);
      store.close();
      assertThatThrownBy(() -> following.next(LONG)).isInstanceOf(UnavailableException.class);
    }
  }
}
