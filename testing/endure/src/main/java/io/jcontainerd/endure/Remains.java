package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.endure.Layer.Blob;
import io.jcontainerd.linux.MountInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Looks, while nobody is at anything, for what should not be there: records, files, folders, mounts
 * and processes that no image, container or hand-made snapshot keeps.
 */
final class Remains {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String CONTENT = "io.containerd.content.v1.content";
  private static final String TASKS = "io.containerd.runtime.v2.task";

  private final Containerd root;
  private final List<String> namespaces;
  private final Model model;
  private final Ledger ledger;
  private final Problems problems;
  private final DaemonProcess daemon;

  Remains(Containerd root, List<String> namespaces, Tools tools, DaemonProcess daemon) {
    this.root = root;
    this.namespaces = namespaces;
    this.model = tools.model();
    this.ledger = tools.ledger();
    this.problems = tools.problems();
    this.daemon = daemon;
  }

  /** Has all garbage collected and looks. */
  void look() throws IOException, InterruptedException {
    collect();
    Set<String> files = new TreeSet<>();
    Map<String, Integer> folders = new HashMap<>();
    for (String namespace : namespaces) {
      Containerd client = root.in(namespace);
      same(namespace + ": leases", Set.of(), names(client.leases().list(List.of()), Lease::id));
      same(
          namespace + ": ingests",
          Set.of(),
          names(client.content().statuses(Filter.ALL), s -> s.ref()));
      Set<String> blobs = new TreeSet<>();
      client.content().list(List.of(), info -> blobs.add(info.digest().toString()));
      same(namespace + ": content", wantedBlobs(namespace), blobs);
      files.addAll(blobs);
      for (String snapshotter : Verifier.SNAPSHOTTERS) {
        Set<String> snapshots = new TreeSet<>();
        client.snapshotter(snapshotter).list(List.of(), info -> snapshots.add(info.name()));
        same(
            namespace + "/" + snapshotter + ": snapshots",
            wantedSnapshots(namespace, snapshotter),
            snapshots);
        folders.merge(snapshotter, snapshots.size(), Integer::sum);
      }
    }
    content(files);
    for (Map.Entry<String, Integer> each : folders.entrySet()) {
      snapshots(each.getKey(), each.getValue());
    }
    tasks();
    check();
  }

  private void collect() {
    Containerd client = root.in(namespaces.getFirst());
    client.leases().create("collect", Map.of());
    client.leases().delete("collect", true);
  }

  private static <T> Set<String> names(List<T> all, java.util.function.Function<T, String> name) {
    return all.stream().map(name).collect(Collectors.toCollection(TreeSet::new));
  }

  private void same(String what, Set<String> wanted, Set<String> found) {
    Set<String> more = new TreeSet<>(found);
    more.removeAll(wanted);
    Set<String> missing = new TreeSet<>(wanted);
    missing.removeAll(found);
    more.forEach(each -> problems.add(what + ": nothing keeps " + each));
    missing.forEach(each -> problems.add(what + ": " + each + " is missing"));
  }

  private Set<Integer> images(String namespace) {
    return ledger.under(Keys.image(namespace, "")).keySet().stream()
        .map(key -> Keys.part(key, 2))
        .map(name -> Integer.valueOf(name.substring(name.indexOf('-') + 1)))
        .collect(Collectors.toSet());
  }

  private Set<String> wantedBlobs(String namespace) {
    return images(namespace).stream()
        .flatMap(number -> model.image(number).blobs().stream())
        .map(Blob::digest)
        .map(Digest::toString)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Set<String> wantedSnapshots(String namespace, String snapshotter) {
    Set<String> wanted = new TreeSet<>();
    for (int number : images(namespace)) {
      // not what the ledger says: an image that was deleted and pulled again before its config was
      // collected has the labels of its life before, too
      Map<String, String> labels =
          root.in(namespace).content().info(model.image(number).config().digest()).labels();
      if (labels.containsKey("containerd.io/gc.ref.snapshot." + snapshotter)) {
        chain(number, wanted);
      }
    }
    ledger
        .under(Keys.step(namespace, snapshotter, ""))
        .forEach(
            (key, known) -> {
              wanted.add(Keys.part(key, 3));
              chain(Integer.parseInt(known.value().split(" ", -1)[0]), wanted);
            });
    if (snapshotter.equals(Runner.SNAPSHOTTER)) {
      for (String key : ledger.under(Keys.container(namespace, "")).keySet()) {
        wanted.add(Keys.part(key, 2));
        chain(Model.APP, wanted);
      }
    }
    return wanted;
  }

  private void chain(int number, Set<String> into) {
    model.image(number).chain().forEach(each -> into.add(each.toString()));
  }

  /** Waits a little for what is removed behind the scenes. */
  private void awaitSame(String what, Set<String> wanted, Listing listing)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Set<String> found = listing.list();
    while (!found.equals(wanted) && System.nanoTime() < deadline) {
      Thread.sleep(50);
      found = listing.list();
    }
    same(what, wanted, found);
  }

  private interface Listing {
    Set<String> list() throws IOException;
  }

  private static Set<String> entries(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(path -> path.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    } catch (NoSuchFileException _) {
      return Set.of();
    }
  }

  private void content(Set<String> digests) throws IOException, InterruptedException {
    Path content = daemon.root().resolve(CONTENT);
    Path blobs = content.resolve("blobs/sha256");
    Set<String> hexes =
        digests.stream()
            .map(digest -> digest.substring(digest.indexOf(':') + 1))
            .collect(Collectors.toCollection(TreeSet::new));
    awaitSame("files of content", hexes, () -> entries(blobs));
    awaitSame("folders of ingests", Set.of(), () -> entries(content.resolve("ingest")));
    for (String hex : entries(blobs)) {
      String found = Digest.sha256(Files.readAllBytes(blobs.resolve(hex))).hex();
      problems.unless(found.equals(hex), "content " + hex + ": its file hashes to " + found);
    }
  }

  private void snapshots(String snapshotter, int count) throws IOException, InterruptedException {
    Path folder = daemon.root().resolve("io.containerd.snapshotter.v1." + snapshotter);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Set<String> ids = entries(folder.resolve("snapshots"));
    while (ids.size() != count && System.nanoTime() < deadline) {
      Thread.sleep(50);
      ids = entries(folder.resolve("snapshots"));
    }
    problems.unless(
        ids.size() == count,
        snapshotter + ": " + count + " snapshots, but " + ids.size() + " folders: " + ids);
    Set<String> kept = ids;
    awaitSame(
        snapshotter + ": manifests of no snapshot",
        Set.of(),
        () -> {
          Set<String> others = new TreeSet<>(entries(folder.resolve("manifests")));
          others.removeIf(name -> kept.contains(name.substring(0, name.indexOf('-'))));
          return others;
        });
  }

  private void tasks() throws IOException, InterruptedException {
    Set<String> wanted = new TreeSet<>();
    Set<String> withTask = new TreeSet<>();
    for (String namespace : namespaces) {
      ledger
          .under(Keys.task(namespace, ""))
          .keySet()
          .forEach(key -> withTask.add(namespace + "/" + Keys.part(key, 2)));
    }
    wanted.addAll(withTask);
    for (Path folder : List.of(daemon.root(), daemon.state())) {
      awaitSame("bundles in " + folder, wanted, () -> bundles(folder.resolve(TASKS)));
    }
    String mark = daemon.run().toString();
    awaitSame(
        "mounts below " + mark,
        Set.of(),
        () ->
            mounts().stream()
                .filter(point -> point.startsWith(mark + "/"))
                .filter(point -> withTask.stream().noneMatch(t -> point.contains("/" + t + "/")))
                .collect(Collectors.toCollection(TreeSet::new)));
    awaitSame(
        "mounts below " + daemon.root(),
        Set.of(),
        () ->
            mounts().stream()
                .filter(point -> point.startsWith(daemon.root() + "/"))
                .collect(Collectors.toCollection(TreeSet::new)));
    awaitSame("processes", Set.of(), this::strangers);
  }

  private static Set<String> bundles(Path tasks) throws IOException {
    Set<String> found = new TreeSet<>();
    for (String namespace : entries(tasks)) {
      if (Files.isDirectory(tasks.resolve(namespace))) {
        entries(tasks.resolve(namespace)).forEach(id -> found.add(namespace + "/" + id));
      }
    }
    return found;
  }

  private static Set<String> mounts() throws IOException {
    return MountInfo.read().stream()
        .map(MountInfo::mountPoint)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Shim hosts beyond one, and daemons that should be dead. */
  private Set<String> strangers() {
    Set<String> hosts = new TreeSet<>();
    Set<String> strangers = new TreeSet<>();
    ProcessHandle.allProcesses()
        .forEach(
            process -> {
              String line = Processes.commandLine(process.pid());
              if (!line.contains(daemon.run().toString())
                  && !line.contains(daemon.folder().toString())) {
                return;
              }
              if (line.contains("io.jcontainerd.shim.ShimHost")) {
                hosts.add(process.pid() + " a shim host");
              } else if (line.contains("io.jcontainerd.daemon.Main")
                  && process.pid() != daemon.pid()) {
                strangers.add(process.pid() + " a daemon");
              }
            });
    if (hosts.size() > 1) {
      strangers.addAll(hosts);
    }
    return strangers;
  }

  /** Asks the daemon to compare all that it has with what it recorded. */
  private void check() throws InterruptedException {
    StorageCare.Summary summary =
        root.in(namespaces.getFirst())
            .storage()
            .check(new StorageCare.Request(true, false), this::tell);
    problems.unless(summary.found() == 0, "fsck --deep: " + summary);
  }

  private void tell(Finding finding) {
    problems.add("fsck --deep: " + finding);
  }
}
