package io.jcontainerd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord.Following;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.Operations.Change;
import io.jcontainerd.core.operation.Operations.Changed;
import io.jcontainerd.core.operation.Operations.Watch;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.services.Services;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.time.Soon;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The services that only jcontainerd has, through a real socket. */
@Timeout(180)
class OwnServicesTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path folder;
  private final OperationRegistry registry = new OperationRegistry();
  private Store store;
  private Metadata metadata;
  private ServedStores served;
  private Containerd client;

  @BeforeEach
  void serve() throws Exception {
    store = Store.open(folder.resolve("store.db"), StoreOptions.DEFAULTS, List.of(Metadata.SCHEMA));
    metadata =
        Metadata.open(
            store, new InMemoryContentStore(Time.SYSTEM), Map.of(), MetadataOptions.DEFAULTS);
    served =
        new ServedStores(
            folder,
            List.of(
                Services.operations(registry, Time.SYSTEM),
                Services.eventRecord(metadata.eventRecord(), Time.SYSTEM)));
    client = served.connection();
  }

  @AfterEach
  void close() throws Exception {
    served.close();
    metadata.close();
    store.close();
  }

  @Test
  void an_operation_is_seen_as_it_is() {
    try (RunningOperation create = registry.begin("create", "default", "web")) {
      create.stage("shim", "the start of a shim");
      create.lookedAtBy(
          (seen, _) ->
              seen.with(
                  List.of(new Operation.Helper(7, "runc create", "D", "wait", List.of("a", "b")))));
      Operation here = closely(() -> registry.list(List.of(), true).getFirst());
      assertThat(closely(() -> only(client.operations().list(List.of("kind==create"), true))))
          .isEqualTo(here);
      assertThat(client.operations().list(List.of("kind==pull"), true)).isEmpty();
      assertThat(closely(() -> client.operations().get(create.id(), true))).isEqualTo(here);
      assertThat(client.operations().get(create.id(), false).helpers()).isEmpty();
    }
    assertThatThrownBy(() -> client.operations().get("x-1", false))
        .isInstanceOf(NotFoundException.class);
  }

  /** Who looks gives up soon, and then shows less: on a slow machine it has to look again. */
  private static Operation closely(Supplier<Operation> look) {
    var seen = new ArrayList<Operation>();
    Soon.until(
        "the helper is seen",
        () -> {
          seen.add(look.get());
          return !seen.getLast().helpers().isEmpty();
        });
    return seen.getLast();
  }

  private static Operation only(List<Operation> operations) {
    assertThat(operations).hasSize(1);
    return operations.getFirst();
  }

  @Test
  void an_operation_is_cancelled_and_waited_for() throws Exception {
    var cancels = new AtomicInteger();
    RunningOperation create = registry.begin("create", "default", "web");
    assertThatThrownBy(() -> client.operations().cancel(create.id()))
        .isInstanceOf(FailedPreconditionException.class);
    create.cancelledBy(cancels::incrementAndGet);
    client.operations().cancel(create.id());
    assertThat(cancels).hasValue(1);
    assertThat(client.operations().join(create.id(), Duration.ofMillis(1)).outcome()).isEmpty();
    create.failed(new FailedPreconditionException("no"));
    create.close();
    assertThat(client.operations().join(create.id(), LONG).outcome()).contains("no");
  }

  @Test
  void a_watch_shows_begin_stages_and_end() throws Exception {
    try (Watch watch = client.operations().watch(List.of("kind==create"));
        RunningOperation first = registry.begin("create", "default", "seen")) {
      Changed begun = watch.next(LONG).orElseThrow();
      assertThat(begun.operation().id()).isEqualTo(first.id());
      registry.begin("pull", "default", "other").close();
      first.stage("shim");
      Changed moved = watch.next(LONG).orElseThrow();
      while (moved.change() == Change.BEGUN) { // it began as the watch did
        moved = watch.next(LONG).orElseThrow();
      }
      assertThat(moved.operation().stage()).isEqualTo("shim");
      first.close();
      assertThat(watch.next(LONG).orElseThrow().change()).isEqualTo(Change.ENDED);
    }
  }

  private long publish(String namespace, String topic) {
    return metadata
        .events()
        .publish(
            new Event(Instant.EPOCH, namespace, topic, new TypedValue("type", new byte[] {1})));
  }

  @Test
  void events_are_followed_from_a_number_with_filters_and_namespaces() throws Exception {
    long first = publish("a", "/one");
    publish("b", "/two");
    publish("a", "/other");
    long wanted = publish("a", "/two");
    try (Following following =
        client
            .eventRecord()
            .follow(new From.After(first), List.of("topic==\"/two\""), List.of("a"))) {
      assertThat(following.next(LONG)).contains(new Told.Begun(first));
      Event event = new Event(Instant.EPOCH, "a", "/two", new TypedValue("type", new byte[] {1}));
      Told news = following.next(LONG).orElseThrow();
      while (news instanceof Told.Position at && at.after() < wanted) { // by a daemon that is slow
        news = following.next(LONG).orElseThrow();
      }
      assertThat(news).isEqualTo(new Told.Happened(new Event.Numbered(wanted, event)));
      long last = publish("b", "/two");
      assertThat(following.next(LONG)).contains(new Told.Position(last));
    }
  }

  @Test
  void a_number_that_never_was_is_refused() throws Exception {
    long first = publish("a", "/one");
    try (Following following =
        client.eventRecord().follow(new From.After(first + 5), List.of(), List.of())) {
      assertThatThrownBy(() -> following.next(LONG)).isInstanceOf(OutOfRangeException.class);
    }
    try (Following following = client.eventRecord().follow(new From.Now(), List.of(), List.of())) {
      assertThat(following.next(LONG)).contains(new Told.Begun(first));
    }
  }
}
