package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import io.jcontainerd.transfer.fetch.FetchLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.function.LongUnaryOperator;

/** A daemon in memory that transfers from a scripted registry. */
final class Scene {
  static final String NAME = "r.example/dir/image:v1";
  static final Platform LINUX = new Platform("linux", "amd64", "");

  final Time time;
  final ScriptedRegistry registry = new ScriptedRegistry();
  final InMemoryContentStore content;
  final InMemoryImageStore images;
  final InMemoryLeaseStore leases;
  final RecordingApplier applier;
  Snapshotter snapshotter;
  DiskSpace space = DiskSpace.UNKNOWN;
  Map<String, ImageVerifier> verifiers = Map.of();
  Optional<LayerImages> layerImages = Optional.empty();
  LongUnaryOperator mostLayerBytes = _ -> Long.MAX_VALUE;
  long biggestBlob = Long.MAX_VALUE;
  HeldCommits.Before beforeCommit = _ -> {};
  int downloads = 3;
  int unpacks = 2;
  FetchLimits limits =
      new FetchLimits(
          64 << 10,
          8,
          new Semaphore(8),
          Duration.ofSeconds(60),
          Duration.ofSeconds(120),
          Duration.ZERO);
  final List<TransferProgress> told = new CopyOnWriteArrayList<>();
  private Optional<TransferEngine> engine = Optional.empty();

  Scene(Time time) {
    this.time = time;
    this.content = new InMemoryContentStore(time);
    this.images = new InMemoryImageStore(time);
    this.leases = new InMemoryLeaseStore(time);
    this.applier = new RecordingApplier(content);
    this.snapshotter = new InMemorySnapshotter(time);
  }

  Scene() {
    this(Time.SYSTEM);
  }

  synchronized TransferEngine engine() {
    if (engine.isEmpty()) {
      TransferSettings settings =
          new TransferSettings(
              downloads,
              3,
              unpacks,
              0,
              Duration.ofMinutes(2),
              false,
              List.of(new TransferSettings.Target(LINUX, "memory", "walking", List.of())));
      TransferParts parts =
          new TransferParts(
              HeldCommits.of(SmallDisk.of(content, biggestBlob), size -> beforeCommit.commit(size)),
              images,
              leases,
              name -> name.equals("memory") ? Optional.of(snapshotter) : Optional.empty(),
              name -> name.equals("walking") ? Optional.of(applier) : Optional.empty(),
              registry,
              verifiers,
              layerImages,
              mostLayerBytes,
              space,
              time);
      engine = Optional.of(new TransferEngine(parts, settings, limits, new OperationRegistry()));
    }
    return engine.get();
  }

  static ImageSelection unpacked(String name) {
    return new ImageSelection(name)
        .withPlatforms(List.of(LINUX))
        .withUnpacks(List.of(new UnpackTarget(LINUX, "")));
  }

  List<Image> pull(ImageSelection to) {
    return pull(to, RegistryAccess.USUAL);
  }

  List<Image> pull(ImageSelection to, RegistryAccess access) {
    return pull(NAME, to, access);
  }

  private List<Image> pull(String name, ImageSelection to, RegistryAccess access) {
    return engine().pull(new PullRequest(new RemoteImage(name, access), to), told::add);
  }

  /** Pulls on a thread of its own. */
  Pulling pulling(String namespace, ImageSelection to) {
    return pulling(namespace, to, RegistryAccess.USUAL);
  }

  Pulling pulling(String namespace, ImageSelection to, RegistryAccess access) {
    return pulling(Call.in(namespace), to, access);
  }

  Pulling pulling(Call call, ImageSelection to) {
    return pulling(call, to, RegistryAccess.USUAL);
  }

  /** Pulls an image under its own name, without unpacking it. */
  Pulling pulling(String namespace, String name) {
    return begun(
        () ->
            Call.in(namespace)
                .call(() -> pull(name, new ImageSelection(name), RegistryAccess.USUAL)));
  }

  private Pulling pulling(Call call, ImageSelection to, RegistryAccess access) {
    return begun(() -> call.call(() -> pull(to, access)));
  }

  private static Pulling begun(Callable<List<Image>> pull) {
    FutureTask<List<Image>> result = new FutureTask<>(pull);
    return new Pulling(result, Thread.ofVirtual().start(result));
  }

  /** A pull that goes on. */
  record Pulling(FutureTask<List<Image>> result, Thread thread) {
    void interrupt() throws InterruptedException {
      thread.interrupt();
      thread.join();
    }
  }

  /** What has a committed snapshot. */
  List<String> committed() {
    return infos().stream()
        .filter(info -> info.kind() == SnapshotKind.COMMITTED)
        .map(SnapshotInfo::name)
        .toList();
  }

  List<SnapshotInfo> infos() {
    List<SnapshotInfo> all = new ArrayList<>();
    snapshotter.walk(Filter.ALL, all::add);
    return all;
  }

  List<String> events(Descriptor of) {
    return told.stream()
        .filter(p -> p.descriptor().equals(Optional.of(of)))
        .map(TransferProgress::event)
        .distinct()
        .toList();
  }

  /** Nothing is left that nobody would end: connections, sessions, leases, active snapshots. */
  void assertNothingIsLeft() {
    assertThat(registry.open).as("connections").hasValue(0);
    assertThat(registry.sessions).as("sessions").hasValue(0);
    assertThat(leases.list(Filter.ALL))
        .as("leases")
        .allMatch(lease -> lease.id().startsWith("jcontainerd-unfinished-"));
    assertThat(infos()).as("snapshots").allMatch(info -> info.kind() == SnapshotKind.COMMITTED);
    assertThat(limits.extraLines().availablePermits()).as("connections to be had").isEqualTo(8);
  }

  /** No failed pull left anything for another try. */
  void assertNoRemains() {
    assertThat(leases.list(Filter.ALL)).isEmpty();
  }

  Map<String, String> labels(Descriptor blob) {
    return content.info(blob.digest()).labels();
  }

  static RegistryAccess knownAs(String name) {
    return new RegistryAccess(
        RegistryAccess.USUAL.credentials(),
        Map.of("X-Name", name),
        "",
        "",
        RegistryAccess.HttpDebug.DISABLED,
        Optional.empty());
  }
}
