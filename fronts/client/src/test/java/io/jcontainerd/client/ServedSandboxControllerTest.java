package io.jcontainerd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.memory.InMemorySandboxStore;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Everything that a controller is asked and answers, by the client, over a real unix socket. */
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class ServedSandboxControllerTest {
  private static final Instant THEN = Instant.parse("2026-01-02T03:04:05.000000006Z");
  private static final TypedValue VALUE = new TypedValue("a.Type", new byte[] {8, 1});
  private static final Sandbox RECORD =
      new Sandbox(
          "box",
          "told",
          new Sandbox.Runtime("io.containerd.runc.v2", Optional.of(VALUE)),
          Optional.of(VALUE),
          Map.of("a", "b"),
          Map.of("x", VALUE),
          THEN,
          THEN);

  @TempDir Path folder;
  private ServedStores served;
  private SandboxController controller;
  private final Told told = new Told();

  /** Answers what it is made to, and writes down what it is asked. */
  private static final class Told implements SandboxController {
    final List<Object> asked = new CopyOnWriteArrayList<>();
    volatile Status status = Status.unknown(THEN);
    volatile Metrics metrics = new Metrics(THEN, "box", Optional.empty());
    volatile Started started = new Started(0, THEN, Optional.empty(), Endpoint.NONE);

    @Override
    public void create(Creation creation) {
      if (creation.sandbox().id().equals("taken")) {
        throw new AlreadyExistsException("sandbox taken");
      }
      asked.add(Call.currentNamespace());
      asked.add(creation);
    }

    @Override
    public Started start(String id) {
      if (!id.equals("box")) {
        throw new NotFoundException("sandbox " + id);
      }
      return started;
    }

    @Override
    public Platform platform(String id) {
      return new Platform("linux", "arm64", "v8");
    }

    @Override
    public void stop(String id, Duration patience) {
      asked.add(patience);
    }

    @Override
    public End await(String id) {
      return new End(137, THEN);
    }

    @Override
    public Status status(String id, boolean verbose) {
      asked.add(verbose);
      return status;
    }

    @Override
    public void shutdown(String id) {
      asked.add("shutdown " + id);
    }

    @Override
    public Metrics metrics(String id) {
      return metrics;
    }

    @Override
    public void update(Sandbox sandbox, List<String> fields) {
      asked.add(sandbox);
      asked.add(fields);
    }
  }

  @BeforeEach
  void serve() throws Exception {
    List<String> topics = new CopyOnWriteArrayList<>();
    EventExchange events =
        (EventExchange)
            Proxy.newProxyInstance(
                EventExchange.class.getClassLoader(),
                new Class<?>[] {EventExchange.class},
                (_, _, arguments) -> {
                  topics.add(((Event) arguments[0]).topic());
                  return (long) topics.size();
                });
    served =
        new ServedStores(
            folder,
            List.of(
                Services.sandboxControllers(
                    Map.of("told", told),
                    Map.of(),
                    new InMemorySandboxStore(),
                    events,
                    Time.SYSTEM)));
    controller = served.client().sandboxController("told");
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Test
  void a_creation_comes_as_it_was_asked_for() throws Exception {
    var creation =
        new SandboxController.Creation(
            RECORD,
            List.of(new Mount("bind", "/a", List.of("ro"))),
            Optional.of(VALUE),
            "/run/netns/x",
            Map.of("k", "v"));
    controller.create(creation);
    assertThat(told.asked).containsExactly("contract", creation);
    var plain = new SandboxController.Creation(RECORD, List.of(), Optional.empty(), "", Map.of());
    controller.create(plain);
    assertThat(told.asked.getLast()).isEqualTo(plain);
  }

  @Test
  void answers_come_as_they_were_given() throws Exception {
    assertThat(controller.start("box")).isEqualTo(told.started);
    told.started =
        new SandboxController.Started(
            42, THEN, Optional.of(VALUE), new SandboxController.Endpoint("ttrpc+unix:///s", 3));
    assertThat(controller.start("box")).isEqualTo(told.started);
    assertThat(controller.platform("box")).isEqualTo(new Platform("linux", "arm64", "v8"));
    assertThat(controller.await("box")).isEqualTo(new SandboxController.End(137, THEN));
    assertThat(controller.status("box", false)).isEqualTo(told.status);
    told.status =
        new SandboxController.Status(
            42,
            "SANDBOX_READY",
            Map.of("i", "j"),
            Optional.of(THEN),
            Optional.empty(),
            Optional.of(VALUE),
            new SandboxController.Endpoint("ttrpc+unix:///s", 3));
    assertThat(controller.status("box", true)).isEqualTo(told.status);
    assertThat(told.asked).containsExactly(false, true);
    assertThat(controller.metrics("box")).isEqualTo(told.metrics);
    told.metrics = new SandboxController.Metrics(THEN, "box", Optional.of(VALUE));
    assertThat(controller.metrics("box")).isEqualTo(told.metrics);
  }

  @Test
  void ends_and_changes_are_passed_on() throws Exception {
    controller.stop("box", Duration.ZERO);
    controller.stop("box", Duration.ofMillis(1500)); // the API knows whole seconds
    controller.update(RECORD, List.of("labels"));
    controller.shutdown("box");
    assertThat(told.asked)
        .containsExactly(
            Duration.ZERO, Duration.ofSeconds(2), RECORD, List.of("labels"), "shutdown box");
  }

  @Test
  void failures_are_of_the_same_kind() {
    var taken =
        new SandboxController.Creation(
            new Sandbox(
                "taken",
                "told",
                Sandbox.Runtime.NONE,
                Optional.empty(),
                Map.of(),
                Map.of(),
                THEN,
                THEN),
            List.of(),
            Optional.empty(),
            "",
            Map.of());
    assertThatThrownBy(() -> controller.create(taken)).isInstanceOf(AlreadyExistsException.class);
    assertThatThrownBy(() -> controller.start("none")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> served.client().sandboxController("nobody").start("box"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("nobody");
  }
}
