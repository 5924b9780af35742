package io.jcontainerd.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.services.snapshots.v1.Info;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every record comes back from its message as it went. */
class RecordsTest {
  private static final Instant THEN = Instant.parse("2026-01-02T03:04:05.000000006Z");
  private static final Instant LATER = THEN.plusNanos(7);
  private static final Digest DIGEST = Digest.sha256("x".getBytes(StandardCharsets.UTF_8));
  private static final Map<String, String> LABELS = Map.of("a.b/c", "1", "d", "");
  private static final TypedValue VALUE = new TypedValue("u/T", new byte[] {1, 2});

  @Test
  void a_container() {
    Container full =
        new Container(
            "c1",
            LABELS,
            "img",
            new Container.Runtime("io.containerd.runc.v2", Optional.of(VALUE)),
            Optional.of(VALUE),
            "overlayfs",
            "key",
            Map.of("e", VALUE),
            "sandbox",
            THEN,
            LATER);
    Container bare =
        new Container(
            "c1",
            Map.of(),
            "",
            new Container.Runtime("", Optional.empty()),
            Optional.empty(),
            "",
            "",
            Map.of(),
            "",
            Instant.EPOCH,
            Instant.EPOCH);

    assertThat(Containers.toCore(Containers.toApi(full))).isEqualTo(full);
    assertThat(Containers.toCore(Containers.toApi(bare))).isEqualTo(bare);
  }

  @Test
  void an_image_with_the_annotations_of_its_target() {
    Image image = new Image("n", new Descriptor("mt", DIGEST, 5, LABELS), LABELS, THEN, LATER);

    assertThat(Images.toCore(Images.toApi(image))).isEqualTo(image);
  }

  @Test
  void blobs_and_ingests() {
    ContentInfo info = new ContentInfo(DIGEST, 7, THEN, LATER, LABELS);
    IngestStatus known = new IngestStatus("r", 3, 9, Optional.of(DIGEST), THEN, LATER);
    IngestStatus unknown = new IngestStatus("r", 3, 0, Optional.empty(), THEN, LATER);

    assertThat(Contents.toCore(Contents.toApi(info))).isEqualTo(info);
    assertThat(Contents.toCore(Contents.toApi(known))).isEqualTo(known);
    assertThat(Contents.toCore(Contents.toApi(unknown))).isEqualTo(unknown);
  }

  @ParameterizedTest
  @EnumSource
  void a_snapshot_of_any_kind(SnapshotKind kind) {
    SnapshotInfo info = new SnapshotInfo(kind, "n", "p", LABELS, THEN, LATER);

    assertThat(Snapshots.toCore(Snapshots.toApi(info))).isEqualTo(info);
    assertThat(Snapshots.toCore(Snapshots.toApi(new Usage(8, 9)))).isEqualTo(new Usage(8, 9));
  }

  @Test
  void a_snapshot_without_kind_may_be_updated_but_not_read() {
    Info message = Info.newBuilder().setName("n").putLabels("a", "b").build();

    assertThat(Snapshots.updateToCore(message).labels()).isEqualTo(Map.of("a", "b"));
    assertThatThrownBy(() -> Snapshots.toCore(message))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void leases_and_namespaces() {
    Lease lease = new Lease("l", THEN, LABELS);
    Lease.Resource resource = new Lease.Resource("k", "snapshots/overlayfs");
    var namespace = new NamespaceStore.Namespace("n", LABELS);

    assertThat(Leases.toCore(Leases.toApi(lease))).isEqualTo(lease);
    assertThat(Leases.toCore(Leases.toApi(resource))).isEqualTo(resource);
    assertThat(Namespaces.toCore(Namespaces.toApi(namespace))).isEqualTo(namespace);
  }

  @ParameterizedTest
  @EnumSource
  void a_process_in_any_status(TaskStatus status) {
    TaskProcess init =
        new TaskProcess(
            "c", "", 12, status, new Stdio("i", "o", "e", true), 137, Optional.of(THEN));
    TaskProcess exec = new TaskProcess("c", "x", 0, status, Stdio.NONE, 0, Optional.empty());

    assertThat(Tasks.toApi(init).getId()).isEqualTo("c");
    assertThat(Tasks.toCore("c", Tasks.toApi(init))).isEqualTo(init);
    assertThat(Tasks.toCore("c", Tasks.toApi(exec))).isEqualTo(exec);
    assertThat(Tasks.toApi(status).name()).isEqualTo(status.name());
  }

  @Test
  void exits_pids_and_metrics() {
    Exit exit = new Exit(4, 255, THEN);
    var plain = new TaskRuntime.Pid(4, Optional.empty());
    var detailed = new TaskRuntime.Pid(4, Optional.of(VALUE));
    var metrics = new TaskRuntime.Metrics("c", THEN, VALUE);

    assertThat(Tasks.toCore(Tasks.toApi("x", exit))).isEqualTo(exit);
    assertThat(Tasks.toCore(Tasks.toApi(plain))).isEqualTo(plain);
    assertThat(Tasks.toCore(Tasks.toApi(detailed))).isEqualTo(detailed);
    assertThat(Tasks.toCore(Tasks.toApi(metrics))).isEqualTo(metrics);
  }

  @Test
  void mounts_platforms_plugins_and_the_server() {
    Mount mount = new Mount("overlay", "overlay", "sub", List.of("b", "a"));
    Platform platform = new Platform("linux", "arm64", "v8", "1", List.of("f"));
    var plugin =
        new Introspection.Plugin(
            "t",
            "i",
            List.of("r"),
            List.of(platform),
            LABELS,
            List.of("c"),
            Optional.of(new Introspection.Failure(9, "skip plugin")));
    var server =
        new Introspection.Server("u", 1, 2, List.of(new Introspection.Deprecation("d", "m", THEN)));

    assertThat(Types.toCore(Types.toApi(mount))).isEqualTo(mount);
    assertThat(Types.toCore(Types.toApi(platform))).isEqualTo(platform);
    assertThat(Introspections.toCore(Introspections.toApi(plugin))).isEqualTo(plugin);
    assertThat(Introspections.toCore(Introspections.toApi(server))).isEqualTo(server);
  }

  @Test
  void an_event_and_no_event_without_time_or_topic() {
    Event event = new Event(THEN, "default", "/tasks/exit", VALUE);
    Envelope envelope = Events.toApi(event);

    assertThat(Events.toCore(envelope)).isEqualTo(event);
    for (Envelope bad :
        List.of(
            envelope.toBuilder().clearTimestamp().build(),
            envelope.toBuilder().setTimestamp(Times.NONE).build(),
            envelope.toBuilder().setTopic("tasks").build(),
            envelope.toBuilder().clearNamespace().build())) {
      assertThatThrownBy(() -> Events.toCore(bad)).isInstanceOf(InvalidArgumentException.class);
    }
  }
}
