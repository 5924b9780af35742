package io.jcontainerd.daemon.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.selfcheck.ScrubOptions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a daemon does by itself about damage, and what it does when nothing can be done. */
@Tag("root")
class SelfHealingTest {
  private static final LayerTar.Look LOOK = new LayerTar.Look(0644, 0, 0, 1_600_000_000);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path folder;
  private final byte[] tar =
      new LayerTar()
          .file("hello", "the words of the file".getBytes(StandardCharsets.UTF_8), LOOK)
          .end();

  private static ScrubOptions scrub(long bytesPerSecond) {
    return scrub(bytesPerSecond, () -> 0);
  }

  private static ScrubOptions scrub(long bytesPerSecond, DoubleSupplier load) {
    return new ScrubOptions(true, true, Duration.ofDays(1), Duration.ZERO, bytesPerSecond, load, 1);
  }

  private static void until(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      LockSupport.parkNanos(5_000_000);
    }
  }

  private Path file(String snapshotter, String name) throws IOException {
    try (Stream<Path> tree = Files.walk(folder.resolve(snapshotter).resolve("snapshots"))) {
      return tree.filter(path -> path.endsWith(name))
          .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
          .findFirst()
          .orElseThrow();
    }
  }

  private static void flip(Path file) throws IOException {
    Corruption.FLIPPED_BIT.strike(file, new Random(3));
  }

  @Test
  void what_cannot_be_healed_is_not_served_until_the_image_is_pulled_again() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      String chain = scene.unpack("overlayfs", List.of(tar));
      Digest blob = Digest.sha256(StorageScene.gzip(tar));
      byte[] kept = scene.bytes(blob);
      scene.registry.remove(blob);
      flip(scene.blobFile(blob));
      flip(file("overlayfs", "hello"));

      List<Finding> findings = scene.check(true, true);
      assertThat(findings)
          .hasSize(2)
          .allSatisfy(
              finding -> {
                assertThat(finding.outcome()).isEqualTo(Finding.Outcome.SET_ASIDE);
                assertThat(finding.advice())
                    .contains("could not be fetched again")
                    .contains("pull the image again");
              });
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      Call call = Call.in(StorageScene.NS);
      assertThatThrownBy(() -> call.run(() -> scene.metadata.content().reader(blob)))
          .isInstanceOf(NotFoundException.class)
          .hasMessageContaining("pull its image again");
      assertThatThrownBy(() -> call.run(() -> snapshots.prepare("container", chain, Map.of())))
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("is damaged and is not used")
          .hasMessageContaining("jctr fsck --repair");

      // Pulling: the record is there, the bytes are not, and they are welcome.
      scene.blob(kept, Map.of("containerd.io/gc.root", "yes"));
      call.run(() -> snapshots.prepare("container", chain, Map.of()));
      assertThat(scene.check(true, false)).isEmpty();
      assertThat(Files.readString(file("overlayfs", "hello"))).isEqualTo("the words of the file");
    }
  }

  @Test
  void a_registry_with_a_port_is_known_from_the_names_of_images() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      Digest blob = Digest.sha256(StorageScene.gzip(tar));
      scene.registryAddress = StorageScene.HOST + ":5000";
      flip(scene.blobFile(blob));
      // neither another host that begins so nor a name without a registry is asked
      long size = scene.bytes(blob).length;
      scene.image(StorageScene.HOST + ".org:5000/some/image:1", blob, size, Map.of());
      scene.image(StorageScene.HOST + ":7000", blob, size, Map.of());
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(
              finding ->
                  assertThat(finding.advice()).doesNotContain(":5000").doesNotContain(":7000"));
      scene.image(scene.registryAddress + "/some/image:1", blob, size, Map.of());
      scene.check(true, true);
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  @Test
  void what_needs_no_bytes_is_healed_without_the_blob() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      Digest blob = Digest.sha256(StorageScene.gzip(tar));
      scene.registry.clear();
      Call.in(StorageScene.NS).run(() -> scene.metadata.content().delete(blob));
      Corruption.WRONG_MODE.strike(file("overlayfs", "hello"), new Random(1));
      Corruption.WRONG_OWNER.strike(file("overlayfs", "hello"), new Random(1));
      assertThat(scene.check(false, true))
          .isNotEmpty()
          .allMatch(finding -> finding.outcome() == Finding.Outcome.HEALED);
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  @Test
  void a_layer_of_which_only_the_record_is_damaged_is_used() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      String chain = scene.unpack("overlayfs", List.of(tar));
      Digest blob = Digest.sha256(StorageScene.gzip(tar));
      byte[] kept = scene.bytes(blob);
      scene.registry.clear();
      Call.in(StorageScene.NS).run(() -> scene.metadata.content().delete(blob));
      scene.metadata.collector().collect();
      try (Stream<Path> manifests = Files.list(folder.resolve("overlayfs/manifests"))) {
        flip(manifests.findFirst().orElseThrow());
      }
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(
              finding -> {
                assertThat(finding.damage()).isEqualTo(Damage.RECORD);
                assertThat(finding.outcome()).isEqualTo(Finding.Outcome.LEFT);
              });
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      Call.in(StorageScene.NS).run(() -> snapshots.prepare("container", chain, Map.of()));
      scene.blob(kept, Map.of("containerd.io/gc.root", "yes"));
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(finding -> assertThat(finding.outcome()).isEqualTo(Finding.Outcome.HEALED));
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  @Test
  @Timeout(120)
  void whoever_needs_a_layer_waits_for_its_healing_no_longer_than_its_call_has_time()
      throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      String chain = scene.unpack("overlayfs", List.of(tar));
      Digest blob = Digest.sha256(StorageScene.gzip(tar));
      byte[] kept = scene.bytes(blob);
      scene.registry.clear();
      flip(scene.blobFile(blob));
      flip(file("overlayfs", "hello"));
      scene.check(true, true);
      scene.registry.put(blob, kept);
      var slow = new CountDownLatch(1);
      scene.whenFetched = () -> await(slow);
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      var hurried =
          new Call(
              Optional.of(StorageScene.NS),
              Optional.empty(),
              Optional.of(Instant.now().plusMillis(100)));
      assertThatThrownBy(() -> hurried.run(() -> snapshots.prepare("one", chain, Map.of())))
          .isInstanceOf(DeadlineExceededException.class)
          .hasMessageContaining("still being healed");
      slow.countDown();
      Call.in(StorageScene.NS).run(() -> snapshots.prepare("two", chain, Map.of()));
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the registry hangs", e);
    }
  }

  @Test
  @Timeout(120)
  void the_daemon_ends_though_the_scrub_waits_for_a_registry() throws Exception {
    Digest blob = Digest.sha256(StorageScene.gzip(tar));
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      flip(scene.blobFile(blob));
    }
    var ready = new CountDownLatch(1);
    var asked = new CountDownLatch(1);
    ScrubOptions scrub =
        scrub(
            1 << 30,
            () -> {
              await(ready);
              return 0;
            });
    try (StorageScene scene = new StorageScene(folder, scrub, "boot-1")) {
      scene.whenFetched =
          () -> {
            asked.countDown();
            await(new CountDownLatch(1));
          };
      scene.registry.put(blob, StorageScene.gzip(tar));
      ready.countDown();
      asked.await();
    }
    try (StorageScene scene = new StorageScene(folder)) {
      assertThat(scene.blobFile(blob)).exists();
      scene.registry.put(blob, StorageScene.gzip(tar));
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(finding -> assertThat(finding.outcome()).isEqualTo(Finding.Outcome.HEALED));
    }
  }

  @Test
  void after_an_unclean_stop_a_layer_is_looked_at_before_it_is_used() throws Exception {
    String chain;
    StorageScene first = new StorageScene(folder, ScrubOptions.off(), "boot-1");
    chain = first.unpack("overlayfs", List.of(tar));
    first.metadata.close();
    first.store.close(); // the self-check is not: as if the power went
    flip(file("overlayfs", "hello"));

    try (StorageScene second = new StorageScene(folder, ScrubOptions.off(), "boot-2")) {
      Call.in(StorageScene.NS)
          .run(
              () -> second.metadata.snapshotter("overlayfs").prepare("container", chain, Map.of()));
      assertThat(Files.readString(file("overlayfs", "hello"))).isEqualTo("the words of the file");
      flip(file("overlayfs", "hello"));
      Call.in(StorageScene.NS)
          .run(() -> second.metadata.snapshotter("overlayfs").prepare("another", chain, Map.of()));
      assertThat(Files.readString(file("overlayfs", "hello")))
          .as("looked at once only")
          .isNotEqualTo("the words of the file");
    }
  }

  @Test
  void after_a_kill_without_a_reboot_nothing_is_in_doubt() throws Exception {
    StorageScene first = new StorageScene(folder, ScrubOptions.off(), "boot-1");
    String chain = first.unpack("overlayfs", List.of(tar));
    first.metadata.close();
    first.store.close();
    flip(file("overlayfs", "hello"));
    try (StorageScene second = new StorageScene(folder, ScrubOptions.off(), "boot-1")) {
      Call.in(StorageScene.NS)
          .run(() -> second.metadata.snapshotter("overlayfs").prepare("again", chain, Map.of()));
      assertThat(Files.readString(file("overlayfs", "hello")))
          .isNotEqualTo("the words of the file");
    }
  }

  @Test
  void the_scrub_finds_and_heals_by_itself() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
    }
    flip(file("overlayfs", "hello"));
    try (StorageScene scene = new StorageScene(folder, scrub(1 << 30), "boot-1")) {
      until(() -> scene.care.scrub().lastRound().isPresent());
      assertThat(scene.check(true, false)).isEmpty();
      StorageCare.Scrub progress = scene.care.scrub();
      assertThat(progress.running()).isTrue();
      assertThat(progress.waiting()).isZero();
      assertThat(progress.looked()).isEqualTo(2);
    }
  }

  @Test
  void the_scrub_keeps_to_its_rate_and_goes_on_where_it_was() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      for (int i = 0; i < 70; i++) {
        scene.blob(
            ("blob " + i).getBytes(StandardCharsets.UTF_8), Map.of("containerd.io/gc.root", "yes"));
      }
      byte[] large = new byte[1 << 20];
      new Random(5).nextBytes(large);
      large[0] = (byte) 0xff;
      scene.blob(large, Map.of("containerd.io/gc.root", "yes"));
    }
    long looked;
    try (StorageScene scene = new StorageScene(folder, scrub(1 << 10), "boot-1")) {
      until(() -> scene.care.scrub().looked() >= 2);
      assertThat(scene.care.scrub().lastRound()).isEmpty();
      looked = scene.care.scrub().looked();
    }
    assertThat(looked).isLessThan(73);
    try (StorageScene scene = new StorageScene(folder, scrub(1 << 30), "boot-1")) {
      until(() -> scene.care.scrub().lastRound().isPresent());
      assertThat(scene.care.scrub().bytes()).as("not all is read again").isPositive();
    }
  }

  @Test
  void what_the_scrub_reads_does_not_stay_in_memory() throws Exception {
    byte[] large = new byte[9 << 20];
    new Random(7).nextBytes(large);
    byte[] layer = new LayerTar().file("hello", large, LOOK).end();
    Path blob;
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(layer));
      blob = scene.blobFile(Digest.sha256(StorageScene.gzip(layer)));
    }
    Path file = file("overlayfs", "hello");
    try (FileChannel channel = FileChannel.open(file)) {
      channel.force(true); // what is not on disk must stay
    }
    try (StorageScene scene = new StorageScene(folder, scrub(1 << 30), "boot-1")) {
      until(() -> scene.care.scrub().lastRound().isPresent());
    }
    assertThat(isInMemory(blob)).isFalse();
    assertThat(isInMemory(file)).isFalse();
  }

  private static boolean isInMemory(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()).isLoaded();
    }
  }

  @Test
  void the_scrub_lets_others_go_first_in_the_middle_of_a_large_blob() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.blob(new byte[4 << 20], Map.of("containerd.io/gc.root", "yes"));
    }
    var asked = new AtomicInteger();
    ScrubOptions scrub = scrub(1 << 30, () -> asked.incrementAndGet() > 5 ? 99 : 0);
    try (StorageScene scene = new StorageScene(folder, scrub, "boot-1")) {
      until(() -> asked.get() > 5);
      assertThat(scene.care.scrub().lastRound()).isEmpty();
      assertThat(scene.care.scrub().bytes()).isBetween(1L, (4L << 20) - 1);
    }
  }

  @Test
  void a_layer_that_a_container_made_is_recorded_by_the_scrub() throws Exception {
    String chain;
    try (StorageScene scene = new StorageScene(folder)) {
      chain = scene.unpack("overlayfs", List.of(tar));
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      Map<String, String> root = Map.of("containerd.io/gc.root", "yes");
      Call.in(StorageScene.NS)
          .run(
              () -> {
                snapshots.prepare("container", chain, root);
                write(snapshots, "container");
                snapshots.commit("made", "container", root, "");
              });
      flip(file("overlayfs", "written"));
      assertThat(scene.check(true, false)).as("nobody knows its bytes yet").isEmpty();
    }
    try (StorageScene scene = new StorageScene(folder, scrub(1 << 30), "boot-1")) {
      until(() -> scene.care.scrub().lastRound().isPresent());
      flip(file("overlayfs", "written"));
      assertThat(scene.check(true, false)).hasSize(1);
      List<Finding> left = scene.check(true, true);
      assertThat(left).hasSize(1);
      assertThat(left.getFirst().outcome()).isEqualTo(Finding.Outcome.SET_ASIDE);
      assertThat(left.getFirst().advice()).contains("not unpacked from a single blob");
    }
  }

  private static void write(Snapshotter snapshots, String key) {
    String upper =
        snapshots.mounts(key).getFirst().options().stream()
            .filter(option -> option.startsWith("upperdir="))
            .findFirst()
            .orElseThrow()
            .substring("upperdir=".length());
    try {
      Files.writeString(Path.of(upper).resolve("written"), "by a container");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_file_changed_between_unpacking_and_commit_is_recorded_as_it_is() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      Digest blob = scene.blob(StorageScene.gzip(tar), Map.of("containerd.io/gc.root", "yes"));
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      Map<String, String> root = Map.of("containerd.io/gc.root", "yes");
      Call.in(StorageScene.NS)
          .run(
              () -> {
                snapshots.prepare("key", "", root);
                scene.applier.apply(
                    new Descriptor(StorageScene.LAYER_TYPE, blob, scene.bytes(blob).length),
                    snapshots.mounts("key"),
                    new Applier.Options(Map.of(), false));
              });
      Path file = file("overlayfs", "hello");
      Object changed = Files.getAttribute(file, "unix:ctime");
      flip(file);
      while (Files.getAttribute(file, "unix:ctime").equals(changed)) { // until the clock ticks
        Files.setLastModifiedTime(file, Files.getLastModifiedTime(file));
      }
      Call.in(StorageScene.NS).run(() -> snapshots.commit("changed", "key", root, ""));
      assertThat(scene.check(true, false)).as("no false alarm").isEmpty();
    }
  }

  @Test
  void why_something_is_kept_is_told_from_its_root() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      Digest layer = scene.blob(StorageScene.gzip(tar), Map.of());
      String chain = scene.unpack("overlayfs", layer, tar, "");
      Digest config =
          scene.blob(
              "config".getBytes(StandardCharsets.UTF_8),
              Map.of("containerd.io/gc.ref.snapshot.overlayfs", chain));
      Digest manifest =
          scene.blob(
              "manifest".getBytes(StandardCharsets.UTF_8),
              Map.of(
                  "containerd.io/gc.ref.content.config", config.toString(),
                  "containerd.io/gc.ref.content.l.0", layer.toString()));
      scene.image("an/image:1", manifest, 8, Map.of());
      Digest lonely = scene.blob("lonely".getBytes(StandardCharsets.UTF_8), Map.of());

      StorageExplainer explainer = scene.metadata.explainer();
      StorageExplainer.Kept kept = explainer.whyKept(layer.toString()).getFirst();
      assertThat(kept.chain())
          .extracting(StorageExplainer.Link::kind)
          .containsExactly("image", "content", "content");
      assertThat(kept.chain())
          .extracting(StorageExplainer.Link::because)
          .containsExactly(
              "an image stays until it is removed",
              "the image's target",
              "the content's label containerd.io/gc.ref.content.l.0");
      assertThat(explainer.whyKept(lonely.hex().substring(0, 10)).getFirst())
          .satisfies(
              one -> {
                assertThat(one.chain()).isEmpty();
                assertThat(one.end()).contains("goes with the next garbage collection");
              });
      assertThatThrownBy(() -> explainer.whyKept("nothing-like-that"))
          .isInstanceOf(NotFoundException.class);

      Call.in(StorageScene.NS)
          .run(
              () -> {
                scene
                    .metadata
                    .leases()
                    .create("my-lease", Map.of("containerd.io/gc.expire", "2999-01-01T00:00:00Z"));
                scene
                    .metadata
                    .leases()
                    .addResource("my-lease", new Lease.Resource(lonely.toString(), "content"));
              });
      StorageExplainer.Kept leased = explainer.whyKept(lonely.toString()).getFirst();
      assertThat(leased.chain())
          .extracting(StorageExplainer.Link::kind)
          .containsExactly("lease", "content");
      assertThat(leased.until()).contains(Instant.parse("2999-01-01T00:00:00Z"));
    }
  }

  @Test
  void what_two_images_share_is_told_apart_from_what_each_has_alone() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      Digest shared = scene.blob(new byte[1000], Map.of());
      Digest one = scene.blob(new byte[300], Map.of("containerd.io/gc.ref.content.0", shared + ""));
      Digest two = scene.blob(new byte[50], Map.of("containerd.io/gc.ref.content.0", shared + ""));
      scene.image("one", one, 300, Map.of());
      scene.image("two", two, 50, Map.of());
      scene.blob(new byte[7], Map.of());
      StorageExplainer.DiskUsage usage = scene.metadata.explainer().diskUsage();
      assertThat(usage.each())
          .extracting(
              StorageExplainer.Usage::name,
              StorageExplainer.Usage::uniqueBytes,
              StorageExplainer.Usage::sharedBytes)
          .containsExactly(tuple("one", 300L, 1000L), tuple("two", 50L, 1000L));
      assertThat(usage.contentBytes()).isEqualTo(1357);
      assertThat(usage.unusedBytes()).isEqualTo(7);
    }
  }
}
