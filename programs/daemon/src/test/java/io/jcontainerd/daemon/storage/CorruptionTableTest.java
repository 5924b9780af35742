package io.jcontainerd.daemon.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.testkit.tree.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damage of every kind at random places is found, named and healed, and what is not damaged is
 * never called so.
 */
@Tag("root")
class CorruptionTableTest {
  private static final int PLACES = 50;
  private static final int AT_ONCE = 10;
  private static final LinuxKernel KERNEL = new LinuxKernel(Path.of("/nonexistent"));
  private static final Set<Corruption> OF_BLOBS =
      Set.of(
          Corruption.FLIPPED_BIT,
          Corruption.TRUNCATED,
          Corruption.ZEROED,
          Corruption.EMPTIED,
          Corruption.GROWN,
          Corruption.DELETED,
          Corruption.WRONG_MODE,
          Corruption.WRONG_OWNER,
          Corruption.REPLACED_TYPE);

  @TempDir Path folder;

  /** The same in every run, so that a failure is one of the change; others by {@code -Dseed=N}. */
  private final long seed = Long.getLong("seed", 1);

  private final Random random = new Random(seed);
  private final StringBuilder table = new StringBuilder();

  private record Row(String where, String kind, int struck, int found, int healed) {}

  private final List<Row> rows = new ArrayList<>();

  @Test
  void every_kind_of_damage_is_found_named_and_healed() throws Exception {
    System.out.println("seed " + seed);
    try (StorageScene scene = new StorageScene(folder)) {
      var image = new RandomImage(random);
      scene.unpack("overlayfs", image.layers(3, 48));
      scene.unpack("native", image.layers(2, 24));
      assertThat(scene.check(true, false)).isEmpty();

      for (Corruption kind : Corruption.values()) {
        strikeLayers(scene, kind);
        if (OF_BLOBS.contains(kind)) {
          strikeBlobs(scene, kind);
        }
      }
      strikeManifests(scene);
    }
    print();
    assertThat(rows).allSatisfy(row -> assertThat(row.struck()).isEqualTo(PLACES));
    assertThat(rows).allSatisfy(row -> assertThat(row.found()).as(row.kind()).isEqualTo(PLACES));
    assertThat(rows).allSatisfy(row -> assertThat(row.healed()).as(row.kind()).isEqualTo(PLACES));
    assertThat(rows).hasSizeGreaterThanOrEqualTo(12);
  }

  private void print() {
    table.append("%-8s %-18s %8s %8s %8s%n".formatted("in", "damage", "struck", "found", "healed"));
    for (Row row : rows) {
      table.append(
          "%-8s %-18s %8d %8d %8d%n"
              .formatted(row.where(), row.kind(), row.struck(), row.found(), row.healed()));
    }
    System.out.print(table);
  }

  /** The folders of committed snapshots. */
  private List<Path> tops() throws IOException {
    List<Path> tops = new ArrayList<>();
    try (Stream<Path> overlays = Files.list(folder.resolve("overlayfs/snapshots"))) {
      overlays.map(path -> path.resolve("fs")).forEach(tops::add);
    }
    try (Stream<Path> natives = Files.list(folder.resolve("native/snapshots"))) {
      natives.forEach(tops::add);
    }
    Collections.sort(tops);
    return tops;
  }

  private static Tree read(Path top) {
    try {
      return Tree.read(top, KERNEL);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Map<Path, Tree> pristine() throws IOException {
    return tops().stream().collect(Collectors.toMap(top -> top, top -> read(top)));
  }

  /** Names in layers, none of them above or the same inode as another. */
  private List<Path> places(Corruption kind) throws IOException {
    List<Path> all = new ArrayList<>();
    for (Path top : tops()) {
      try (Stream<Path> tree = Files.walk(top)) {
        for (Path path : tree.toList()) {
          if (!path.equals(top) && kind.fits(path)) {
            all.add(path);
          }
        }
      }
    }
    Collections.sort(all); // not the file system but the seed tells what is chosen
    Collections.shuffle(all, random);
    List<Path> chosen = new ArrayList<>();
    for (Path path : all) {
      boolean apart =
          chosen.stream()
              .noneMatch(
                  other -> path.startsWith(other) || other.startsWith(path) || same(path, other));
      if (apart && chosen.size() < AT_ONCE) {
        chosen.add(path);
      }
    }
    return chosen;
  }

  private static boolean same(Path one, Path other) {
    try {
      return Files.getAttribute(one, "unix:ino", LinkOption.NOFOLLOW_LINKS)
          .equals(Files.getAttribute(other, "unix:ino", LinkOption.NOFOLLOW_LINKS));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void strikeLayers(StorageScene scene, Corruption kind) throws Exception {
    int struck = 0;
    int found = 0;
    int healed = 0;
    while (struck < PLACES) {
      Map<Path, Tree> before = pristine();
      List<Path> places = places(kind);
      assertThat(places).as(kind.words()).isNotEmpty();
      places = places.subList(0, Math.min(places.size(), PLACES - struck));
      Map<Path, Set<String>> names = new HashMap<>();
      for (Path place : places) {
        names.put(place, names(place));
        kind.strike(place, random);
      }
      struck += places.size();
      List<Finding> findings = scene.check(true, false);
      for (Path place : places) {
        found += isNamed(findings, kind, names.getOrDefault(place, Set.of())) ? 1 : 0;
      }
      List<Finding> repairs = scene.check(true, true);
      assertThat(repairs)
          .as(kind + " " + places)
          .allMatch(f -> f.outcome() == Finding.Outcome.HEALED);
      Map<Path, Tree> after = pristine();
      assertThat(after.keySet()).isEqualTo(before.keySet());
      for (Path place : places) {
        Path top = before.keySet().stream().filter(place::startsWith).findFirst().orElseThrow();
        Tree wanted = Objects.requireNonNull(before.get(top));
        Tree healedTree = Objects.requireNonNull(after.get(top));
        boolean equal = wanted.equals(healedTree);
        healed += equal ? 1 : 0;
        if (!equal) {
          healedTree.assertSameAs(wanted);
        }
      }
      assertThat(scene.check(true, false)).as(kind.words()).isEmpty();
    }
    rows.add(new Row("layers", kind.words(), struck, found, healed));
  }

  /** The names, within its layer, by which damage of a file may be told: those of its inode. */
  private Set<String> names(Path place) throws IOException {
    Path top = tops().stream().filter(place::startsWith).findFirst().orElseThrow();
    Set<String> names = new HashSet<>();
    names.add(top.relativize(place).toString());
    if (Corruption.isFile(place)) {
      try (Stream<Path> tree = Files.walk(top)) {
        tree.filter(path -> Corruption.isFile(path) && same(path, place))
            .forEach(path -> names.add(top.relativize(path).toString()));
      }
    }
    return names;
  }

  private static boolean isNamed(List<Finding> findings, Corruption kind, Set<String> names) {
    return findings.stream()
        .filter(finding -> finding.subject() == Finding.Subject.LAYER)
        .anyMatch(
            finding ->
                names.contains(
                        kind == Corruption.EXTRA_FILE ? parent(finding.path()) : finding.path())
                    && (kind.seen().contains(finding.damage()) || finding.damage() == Damage.LINK));
  }

  private static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  private void strikeBlobs(StorageScene scene, Corruption kind) throws Exception {
    int found = 0;
    int healed = 0;
    List<Digest> digests = List.copyOf(scene.registry.keySet());
    for (int struck = 0; struck < PLACES; struck++) {
      Digest digest = digests.get(random.nextInt(digests.size()));
      Path file = scene.blobFile(digest);
      kind.strike(file, random);
      List<Finding> findings = scene.check(true, false);
      found +=
          findings.size() == 1
                  && findings.getFirst().name().equals(digest.toString())
                  && kind.seen().contains(findings.getFirst().damage())
              ? 1
              : 0;
      scene.check(true, true);
      boolean same =
          Corruption.isFile(file)
              && Digest.sha256(Files.readAllBytes(file)).equals(digest)
              && scene.check(false, false).isEmpty();
      healed += same ? 1 : 0;
    }
    rows.add(new Row("blobs", kind.words(), PLACES, found, healed));
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  /** The record itself may rot: it is made again from the blob. */
  private void strikeManifests(StorageScene scene) throws Exception {
    int found = 0;
    int healed = 0;
    for (int struck = 0; struck < PLACES; struck++) {
      List<Path> manifests = new ArrayList<>(files(folder.resolve("overlayfs/manifests")));
      manifests.addAll(files(folder.resolve("native/manifests")));
      Path manifest = manifests.get(random.nextInt(manifests.size()));
      Corruption kind =
          List.of(Corruption.FLIPPED_BIT, Corruption.TRUNCATED, Corruption.DELETED)
              .get(random.nextInt(3));
      kind.strike(manifest, random);
      List<Finding> findings = scene.check(false, false);
      found += findings.stream().anyMatch(finding -> finding.damage() == Damage.RECORD) ? 1 : 0;
      scene.check(false, true);
      healed += scene.check(true, false).isEmpty() ? 1 : 0;
    }
    rows.add(new Row("records", "of a layer", PLACES, found, healed));
  }

  @Test
  void nothing_is_called_damaged_while_a_thousand_things_happen() throws Exception {
    System.out.println("seed " + seed);
    try (StorageScene scene = new StorageScene(folder)) {
      var alarms = new ConcurrentLinkedQueue<Finding>();
      var stop = new AtomicBoolean();
      Thread checking =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!stop.get()) {
                      try {
                        scene.care.check(
                            new StorageCare.Request(true, random.nextBoolean()), alarms::add);
                      } catch (InterruptedException e) {
                        return;
                      }
                    }
                  });
      var operations = new RandomOperations(scene, new Random(seed));
      for (int i = 0; i < 1000; i++) {
        operations.next();
      }
      stop.set(true);
      checking.join();
      assertThat(alarms).isEmpty();
      assertThat(operations.refused()).as("refused operations").isLessThan(500);
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  /** What clients do, in any order. */
  private static final class RandomOperations {
    private final StorageScene scene;
    private final Random random;
    private final List<String> chains = new ArrayList<>();
    private final List<String> actives = new ArrayList<>();
    private int number;
    private int refused;

    RandomOperations(StorageScene scene, Random random) {
      this.scene = scene;
      this.random = random;
    }

    int refused() {
      return refused;
    }

    void next() {
      number++;
      try {
        Call.in(StorageScene.NS).run(this::any);
      } catch (ContainerdException e) {
        refused++;
      }
    }

    private <T> T one(List<T> list) {
      if (list.isEmpty()) {
        throw new NotFoundException("nothing yet");
      }
      return list.get(random.nextInt(list.size()));
    }

    private void any() {
      Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
      switch (random.nextInt(11)) {
        case 0, 1 ->
            chains.add(
                scene.unpack(
                    random.nextInt(4) == 0 ? "native" : "overlayfs",
                    new RandomImage(random).layers(1 + random.nextInt(3), 12)));
        case 2, 3 -> {
          String key = "active-" + number;
          snapshots.prepare(key, one(chains), Map.of("containerd.io/gc.root", "yes"));
          actives.add(key);
          write(key);
        }
        case 4 -> {
          String key = one(actives);
          actives.remove(key);
          snapshots.commit("committed-" + number, key, Map.of(), "");
          chains.add("committed-" + number);
        }
        case 5 -> {
          String key = one(actives);
          actives.remove(key);
          snapshots.remove(key);
        }
        case 6 -> {
          String chain = one(chains);
          snapshots.remove(chain);
          chains.remove(chain);
        }
        case 7 -> {
          List<Digest> blobs = new ArrayList<>();
          scene.metadata.content().walk(Filter.ALL, info -> blobs.add(info.digest()));
          scene.metadata.content().delete(one(blobs));
        }
        case 8 -> scene.metadata.collector().collect();
        case 9 -> {
          snapshots.view("view-" + number, one(chains), Map.of());
          snapshots.remove("view-" + number);
        }
        default -> scene.blob(("content " + number).getBytes(StandardCharsets.UTF_8), Map.of());
      }
    }

    /** As a container does, through the upper folder. */
    private void write(String key) {
      String upper =
          scene.metadata.snapshotter("overlayfs").mounts(key).getFirst().options().stream()
              .filter(option -> option.startsWith("upperdir="))
              .findFirst()
              .orElseThrow()
              .substring("upperdir=".length());
      try {
        Files.writeString(Path.of(upper).resolve("written-" + number), "by a container " + number);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
