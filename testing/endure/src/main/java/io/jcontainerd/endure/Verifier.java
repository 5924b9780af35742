package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.LeaseHandle;
import io.jcontainerd.client.RemoteSnapshotter;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.endure.Layer.Blob;
import io.jcontainerd.endure.Ledger.Known;
import io.jcontainerd.linux.Mounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * Compares a daemon that was started again with what the ledger says was promised, and tells the
 * ledger what became of what was not answered.
 */
final class Verifier {
  /** How the daemon ended. */
  enum End {
    /**
     * Its process was killed: what it answered is so, but layers that nobody had come to rely on
     * may be gone if a synchronisation was under way.
     */
    KILL,
    /**
     * The machine's power was cut: layers that nobody had come to rely on may be gone, each as a
     * whole, and ingests may be shorter.
     */
    POWER_CUT
  }

  /** Which snapshots are mounted. */
  enum Depth {
    /** All of them. */
    ALL,
    /** Some of those that are nobody's parent, in which all others are seen but what is hidden. */
    SOME_LEAVES
  }

  /** What was compared. */
  record Counts(long images, long blobs, long snapshots, long files, long containers) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0);

    Counts plus(Counts more) {
      return new Counts(
          images + more.images,
          blobs + more.blobs,
          snapshots + more.snapshots,
          files + more.files,
          containers + more.containers);
    }
  }

  private static final int SOME = 3;
  static final List<String> SNAPSHOTTERS = List.of("overlayfs", "native");

  private final Containerd root;
  private final List<String> namespaces;
  private final Model model;
  private final Ledger ledger;
  private final Problems problems;
  private final Mounter mounter;
  private final End end;
  private Counts counts = Counts.NONE;
  private int lost;

  Verifier(Containerd root, List<String> namespaces, Tools tools, End end) {
    this.root = root;
    this.namespaces = namespaces;
    this.model = tools.model();
    this.ledger = tools.ledger();
    this.problems = tools.problems();
    this.mounter = tools.mounter();
    this.end = end;
  }

  /**
   * Looks at everything once.
   *
   * @param depth which snapshots are mounted and compared file by file
   */
  Counts verify(Depth depth) throws IOException, InterruptedException {
    for (String namespace : namespaces) {
      Containerd client = root.in(namespace);
      leases(client, namespace);
      Map<String, ContentInfo> blobs = new TreeMap<>();
      client.content().list(List.of(), info -> blobs.put(info.digest().toString(), info));
      Map<String, Integer> images = images(client, namespace);
      unpacked(namespace, blobs, images);
      images.forEach((name, number) -> parts(namespace + "/" + name, number, blobs));
      keptBlobs(namespace, blobs);
      ingests(client, namespace, blobs);
      for (String snapshotter : SNAPSHOTTERS) {
        snapshots(client, namespace, snapshotter, images, depth);
      }
      tasks(client, namespace);
      count(new Counts(images.size(), blobs.size(), 0, 0, 0));
      if (!images.isEmpty()) {
        read(client, images.values().iterator().next());
      }
    }
    return counts;
  }

  /** Layers that were committed, on which nobody relied yet, and that are gone. */
  int lost() {
    return lost;
  }

  private void count(Counts more) {
    counts = counts.plus(more);
  }

  /** Compares one thing with what is known of it, and lets the ledger know. */
  private void compare(String key, Known known, String found) {
    problems.unless(known.allows(found), key + " was " + known + "; found '" + found + "'");
    ledger.settle(key, found);
  }

  private void leases(Containerd client, String namespace) {
    Map<String, Lease> found = new HashMap<>();
    client.leases().list(List.of()).forEach(lease -> found.put(lease.id(), lease));
    ledger
        .under(Keys.lease(namespace, ""))
        .forEach(
            (key, known) -> {
              String id = Keys.part(key, 2);
              boolean there = found.remove(id) != null;
              compare(key, known, there ? "held" : "");
            });
    found.keySet().forEach(id -> problems.add("lease " + namespace + "/" + id + ": nobody's"));
    for (String kind : List.of("blob|", "layer|")) {
      for (String key : ledger.under(kind + namespace + "|").keySet()) {
        if (ledger.known(Keys.lease(namespace, Keys.part(key, 2))).value().isEmpty()) {
          ledger.settle(key, ""); // the lease was given back just before
        }
      }
    }
  }

  /** Numbers of the images that are there, by name. */
  private Map<String, Integer> images(Containerd client, String namespace) {
    Map<String, Image> found = new TreeMap<>();
    client.images().list(List.of()).forEach(image -> found.put(image.name(), image));
    Map<String, Integer> numbers = new TreeMap<>();
    ledger
        .under(Keys.image(namespace, ""))
        .forEach(
            (key, known) -> {
              String name = Keys.part(key, 2);
              Image image = found.remove(name);
              if (image == null) {
                compare(key, known, "");
                return;
              }
              int number = Integer.parseInt(name.substring(name.indexOf('-') + 1));
              numbers.put(name, number);
              compare(key, known, number + " " + image.labels().get("generation"));
              problems.unless(
                  image.target().equals(model.image(number).manifest().descriptor()),
                  key + " names " + image.target());
            });
    found.keySet().forEach(name -> problems.add("image " + namespace + "/" + name + ": nobody's"));
    return numbers;
  }

  private void unpacked(
      String namespace, Map<String, ContentInfo> blobs, Map<String, Integer> images) {
    ledger
        .under("unpacked|" + namespace + "|")
        .forEach(
            (key, known) -> {
              int number = Integer.parseInt(Keys.part(key, 2));
              ContentInfo config = blobs.get(model.image(number).config().digest().toString());
              String label = "containerd.io/gc.ref.snapshot." + Keys.part(key, 3);
              boolean there =
                  config != null && model.image(number).top().equals(config.labels().get(label));
              if (images.containsValue(number)) {
                compare(key, known, there ? "yes" : "");
              } else {
                ledger.settle(key, ""); // nothing keeps the label any more
              }
            });
  }

  private void parts(String name, int number, Map<String, ContentInfo> blobs) {
    ModelImage image = model.image(number);
    for (Blob blob : image.blobs()) {
      ContentInfo info = blobs.get(blob.digest().toString());
      problems.unless(info != null, "image " + name + ": content " + blob.digest() + " is missing");
      problems.unless(
          info == null || info.size() == blob.bytes().length,
          "image " + name + ": content " + blob.digest() + " has another size");
    }
    ContentInfo manifest = blobs.get(image.manifest().digest().toString());
    problems.unless(
        manifest == null || manifest.labels().entrySet().containsAll(image.references().entrySet()),
        "image " + name + ": labels of its manifest are missing");
  }

  private void keptBlobs(String namespace, Map<String, ContentInfo> blobs) {
    ledger
        .under("blob|" + namespace + "|")
        .keySet()
        .forEach(
            key ->
                problems.unless(
                    blobs.containsKey(Keys.part(key, 3)), key + ": the lease does not keep it"));
  }

  private void ingests(Containerd client, String namespace, Map<String, ContentInfo> blobs) {
    Map<String, Long> found = new HashMap<>();
    client.content().statuses(Filter.ALL).forEach(s -> found.put(s.ref(), s.offset()));
    ledger
        .under(Keys.ingest(namespace, ""))
        .forEach(
            (key, known) -> {
              String ref = Keys.part(key, 2);
              Long offset = found.get(ref);
              if (offset == null) {
                boolean committed = blobs.containsKey(ref.substring("loose-".length()));
                problems.unless(
                    committed || end == End.POWER_CUT || known.allows(""), key + ": lost");
                ledger.settle(key, "");
              } else {
                problems.unless(
                    offset <= most(known) && (end == End.POWER_CUT || offset >= least(known)),
                    key + " was " + known + ", is at " + offset);
                ledger.settle(key, Long.toString(offset));
              }
            });
  }

  private static long least(Known known) {
    return known.value().isEmpty() ? 0 : Long.parseLong(known.value());
  }

  private static long most(Known known) {
    String pending = known.pending();
    return pending == null || pending.isEmpty() ? least(known) : Long.parseLong(pending);
  }

  private void snapshots(
      Containerd client, String namespace, String name, Map<String, Integer> images, Depth depth)
      throws IOException {
    RemoteSnapshotter snapshotter = client.snapshotter(name);
    Map<String, SnapshotInfo> found = new TreeMap<>();
    snapshotter.list(List.of(), info -> found.put(info.name(), info));
    Map<String, SnapshotInfo> committed = new TreeMap<>(found);
    committed.values().removeIf(info -> info.kind() != SnapshotKind.COMMITTED);
    promisedByImages(namespace, name, images, committed);
    promisedByLeases(namespace, name, committed);
    Map<String, SortedMap<String, Node>> steps = steps(namespace, name, committed);
    promisedByContainers(namespace, name, found);
    Set<String> parents =
        committed.values().stream().map(SnapshotInfo::parent).collect(Collectors.toSet());
    try (LeaseHandle lease = client.leases().grant(Duration.ofHours(1))) {
      for (SnapshotInfo info : committed.values()) {
        String what = "snapshot " + namespace + "/" + name + "/" + info.name();
        problems.unless(
            info.parent().isEmpty() || committed.containsKey(info.parent()),
            what + ": its parent is missing");
        Optional<SortedMap<String, Node>> tree =
            steps.containsKey(info.name())
                ? Optional.of(steps.get(info.name()))
                : info.name().startsWith("sha256:")
                    ? model.tree(Digest.parse(info.name()))
                    : Optional.empty();
        if (tree.isEmpty()) {
          problems.add(what + ": nobody's");
        } else if (isChosen(depth, parents.contains(info.name()))) {
          lease
              .call()
              .<Void, IOException>call(() -> files(snapshotter, what, info.name(), tree.get()));
        }
      }
    }
  }

  private static boolean isChosen(Depth depth, boolean parent) {
    return depth == Depth.ALL || (!parent && ThreadLocalRandom.current().nextInt(SOME) == 0);
  }

  private void promisedByImages(
      String namespace,
      String snapshotter,
      Map<String, Integer> images,
      Map<String, SnapshotInfo> committed) {
    images.forEach(
        (name, number) -> {
          if (ledger.known(Keys.unpacked(namespace, number, snapshotter)).surely("yes")) {
            for (Digest chain : model.image(number).chain()) {
              problems.unless(
                  committed.containsKey(chain.toString()),
                  "image " + namespace + "/" + name + ": snapshot " + chain + " is missing");
            }
          }
        });
  }

  /** A lease alone keeps no layer that was not durable when its daemon or machine ended. */
  private void promisedByLeases(
      String namespace, String snapshotter, Map<String, SnapshotInfo> committed) {
    for (String key : ledger.under("layer|" + namespace + "|").keySet()) {
      if (Keys.part(key, 3).equals(snapshotter) && !committed.containsKey(Keys.part(key, 4))) {
        lost++;
        ledger.settle(key, "");
      }
    }
  }

  /** What the snapshots made by hand must hold. */
  private Map<String, SortedMap<String, Node>> steps(
      String namespace, String snapshotter, Map<String, SnapshotInfo> committed) {
    Map<String, SortedMap<String, Node>> trees = new HashMap<>();
    ledger
        .under(Keys.step(namespace, snapshotter, ""))
        .forEach(
            (key, known) -> {
              String name = Keys.part(key, 3);
              String pending = known.pending();
              String value = pending == null || pending.isEmpty() ? known.value() : pending;
              compare(key, known, committed.containsKey(name) ? value : "");
              String[] words = value.split(" ", -1);
              Digest on = model.image(Integer.parseInt(words[0])).chain().getLast();
              trees.put(
                  name,
                  Trees.with(model.tree(on).orElseThrow(), model.step(Integer.parseInt(words[1]))));
            });
    return trees;
  }

  private void promisedByContainers(
      String namespace, String snapshotter, Map<String, SnapshotInfo> found) {
    if (snapshotter.equals(Runner.SNAPSHOTTER)) {
      ledger
          .under(Keys.container(namespace, ""))
          .forEach(
              (key, known) ->
                  problems.unless(
                      !known.surely("there") || found.containsKey(Keys.part(key, 2)),
                      key + ": its snapshot is missing"));
    }
  }

  private Void files(
      RemoteSnapshotter snapshotter, String what, String name, SortedMap<String, Node> tree)
      throws IOException {
    String key = "verify-" + System.nanoTime();
    try {
      List<Mount> mounts = snapshotter.view(key, name, Map.of());
      try (Mounter.Mounted mounted = mounter.mount(mounts)) {
        TreeCheck.differences(mounted.root(), tree).forEach(d -> problems.add(what + ": " + d));
      } finally {
        snapshotter.remove(key);
      }
      count(new Counts(0, 0, 1, tree.size(), 0));
    } catch (ContainerdException e) {
      problems.add(what + ": cannot be mounted: " + e.getMessage());
    }
    return null;
  }

  private void tasks(Containerd client, String namespace) throws InterruptedException {
    List<String> records = new ArrayList<>();
    client.containers().list(Filter.ALL).forEach(c -> records.add(c.id()));
    for (Map.Entry<String, Known> each : ledger.under(Keys.container(namespace, "")).entrySet()) {
      Known known = each.getValue();
      String there = known.value().isEmpty() ? "there" : known.value();
      compare(each.getKey(), known, records.remove(Keys.part(each.getKey(), 2)) ? there : "");
    }
    records.forEach(id -> problems.add("container " + namespace + "/" + id + ": nobody's"));
    for (Map.Entry<String, Known> each : ledger.under(Keys.task(namespace, "")).entrySet()) {
      task(client, each.getKey(), each.getValue());
      count(new Counts(0, 0, 0, 0, 1));
    }
  }

  private void task(Containerd client, String key, Known known) throws InterruptedException {
    TaskProcess task;
    try {
      task = client.tasks().get(Keys.part(key, 2), "");
    } catch (NotFoundException _) {
      compare(key, known, "");
      return;
    }
    String pending = known.pending();
    String value = pending == null || pending.isEmpty() ? known.value() : pending;
    if (task.status() == TaskStatus.CREATED) {
      compare(key, known, "");
      return;
    }
    String status = value.split(" ", -1)[1];
    compare(key, known, task.pid() + " " + status);
    switch (task.status()) {
      case RUNNING ->
          problems.unless(
              Files.exists(Path.of("/proc/" + task.pid())), key + ": no process " + task.pid());
      case STOPPED ->
          problems.unless(
              !status.equals(Runner.KEPT) && task.exitStatus() == Runner.exitStatus(status),
              key + ": stopped with " + task.exitStatus());
      default -> problems.add(key + ": is " + task.status());
    }
  }

  /** All blobs of an image over the API. */
  private void read(Containerd client, int number) {
    for (Blob blob : model.image(number).blobs()) {
      try {
        client.content().readAll(blob.digest(), Math.max(1, blob.bytes().length));
      } catch (ContainerdException e) {
        problems.add("content " + blob.digest() + " cannot be read: " + e.getMessage());
      }
    }
  }
}
