package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class EventsTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path folder;

  private Store open(StoreOptions options) {
    return Store.open(folder.resolve("test.db"), options, List.of(StoreTest.PAIRS));
  }

  private static long publish(Store store, String topic) {
    return store.write(tx -> tx.event(5, "ns", topic, "type", new byte[] {1}));
  }

  private static void publishMany(Store store, int count) {
    store.change(
        tx -> {
          for (int i = 0; i < count; i++) {
            tx.event(5, "ns", "/n", "type", new byte[] {1});
          }
        });
  }

  @Test
  void events_are_told_after_their_change_and_in_order() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS);
        EventSubscription subscription = store.subscribe()) {
      publish(store, "/one");
      publish(store, "/two");
      assertThat(subscription.next(SOON))
          .contains(new StoredEvent(1, 5, "ns", "/one", "type", new byte[] {1}));
      assertThat(subscription.next(SOON).orElseThrow().topic()).isEqualTo("/two");
      assertThat(subscription.next(Duration.ofMillis(1))).isEmpty();
    }
  }

  @Test
  void an_event_of_a_failed_change_was_never_there() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS);
        EventSubscription subscription = store.subscribe()) {
      assertThatThrownBy(
              () ->
                  store.change(
                      tx -> {
                        tx.event(5, "ns", "/never", "type", new byte[0]);
                        throw new IllegalStateException("no");
                      }))
          .hasMessage("no");
      assertThat(publish(store, "/one")).isEqualTo(1);
      assertThat(subscription.next(SOON).orElseThrow().topic()).isEqualTo("/one");
    }
  }

  @Test
  void numbers_go_on_after_reopening() {
    try (Store store = open(StoreOptions.DEFAULTS)) {
      publish(store, "/one");
    }
    try (Store store = open(StoreOptions.DEFAULTS)) {
      assertThat(store.lastEvent()).isEqualTo(1);
      assertThat(publish(store, "/two")).isEqualTo(2);
    }
  }

  @Test
  void a_cursor_sees_the_record_and_then_what_comes_without_gap_or_double() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      int before = 700;
      int during = 500;
      for (int i = 0; i < before; i++) {
        publish(store, "/before");
      }
      List<Future<?>> publishers = new ArrayList<>();
      for (int p = 0; p < 5; p++) {
        publishers.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < during / 5; i++) {
                    publish(store, "/during");
                  }
                }));
      }
      List<Long> seen = new ArrayList<>();
      try (EventSubscription subscription = store.subscribeAfter(10)) {
        while (seen.size() < before + during - 10) {
          seen.add(subscription.next(SOON).orElseThrow().number());
        }
      }
      for (Future<?> publisher : publishers) {
        publisher.get();
      }
      assertThat(seen)
          .containsExactlyElementsOf(LongStream.rangeClosed(11, before + during).boxed().toList());
    }
  }

  @Test
  void only_the_newest_are_kept_and_an_older_cursor_is_told_so() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS.withEventsKept(100))) {
      for (int i = 0; i < 1000; i++) {
        publish(store, "/n");
      }
      long floor = store.eventsFloor();
      assertThat(floor).isBetween(500L, 900L);
      assertThatThrownBy(() -> store.subscribeAfter(0))
          .hasMessageContaining("no longer kept")
          .extracting(e -> ((StoreException) e).kind())
          .isEqualTo(StoreException.Kind.EVENTS_LOST);
      assertThatThrownBy(() -> store.subscribeAfter(1001)).hasMessageContaining("newest is 1000");
      try (EventSubscription subscription = store.subscribeAfter(floor)) {
        assertThat(subscription.next(SOON).orElseThrow().number()).isEqualTo(floor + 1);
      }
    }
    try (Store store = open(StoreOptions.DEFAULTS.withEventsKept(100))) {
      assertThat(publish(store, "/n")).isEqualTo(1001);
    }
  }

  @Test
  void a_slow_subscriber_delays_nobody_and_its_lag_is_seen() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS);
        EventSubscription slow = store.subscribe();
        EventSubscription quick = store.subscribe()) {
      for (int i = 0; i < 20; i++) {
        publish(store, "/n");
        quick.next(SOON);
      }
      assertThat(slow.waiting()).isEqualTo(20);
      assertThat(quick.waiting()).isZero();
      assertThat(store.stats().longestLag()).isEqualTo(20);
      assertThat(store.stats().subscribers()).isEqualTo(2);
    }
  }

  @Test
  void what_a_subscriber_does_not_take_does_not_fill_the_memory_and_is_not_lost() throws Exception {
    int most = EventSubscription.MOST_WAITING;
    try (Store store = open(StoreOptions.DEFAULTS.withEventsKept(10L * most))) {
      publish(store, "/before");
      try (EventSubscription slow = store.subscribe()) {
        publishMany(store, most + 1); // at once
        assertThat(slow.waiting()).isLessThanOrEqualTo(most);
        for (int i = 0; i < most; i += 8) {
          publishMany(store, 8);
        }
        assertThat(slow.waiting()).isLessThanOrEqualTo(most);
        List<Long> seen = new ArrayList<>();
        for (int i = 0; i < 2 * most + 1; i++) {
          if (i == most) {
            publish(store, "/while reading");
          }
          seen.add(slow.next(SOON).orElseThrow().number());
        }
        assertThat(slow.next(SOON).orElseThrow().topic()).isEqualTo("/while reading");
        assertThat(seen)
            .containsExactlyElementsOf(LongStream.rangeClosed(2, 2 * most + 2).boxed().toList());
      }
    }
  }

  @Test
  void what_could_not_be_handed_over_is_read_from_the_record() throws Exception {
    try (Store store = open(StoreOptions.DEFAULTS)) {
      publish(store, "/before");
      try (EventSubscription subscription = store.subscribe()) {
        publish(store, "/handed over");
        subscription.miss(2);
        publish(store, "/missed");
        publish(store, "/missed, too");
        List<Long> seen = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          seen.add(subscription.next(SOON).orElseThrow().number());
        }
        assertThat(seen).containsExactly(2L, 3L, 4L);
        publish(store, "/live");
        assertThat(subscription.next(SOON).orElseThrow().number()).isEqualTo(5);
      }
    }
  }

  @Test
  void closing_the_store_lets_a_subscriber_take_the_rest_and_then_ends_it() throws Exception {
    EventSubscription subscription;
    try (Store store = open(StoreOptions.DEFAULTS)) {
      subscription = store.subscribe();
      publish(store, "/last");
    }
    assertThat(subscription.next(SOON).orElseThrow().topic()).isEqualTo("/last");
    assertThatThrownBy(() -> subscription.next(SOON)).hasMessageContaining("closed");
  }
}
