package io.jcontainerd.crash.world;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.crash.disk.Told;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Looks at a world that came up again, and says what is wrong with it. */
public final class Inspector {
  private static final int FILE_MODE = 0755;

  private final World world;
  private final Map<String, AppImage> images = new TreeMap<>();
  private final Map<String, List<Layer>> chains = new TreeMap<>();
  private final List<String> faults = new ArrayList<>();

  /**
   * Looks at a world.
   *
   * @param known every image that anybody may have pulled
   */
  public Inspector(World world, Collection<AppImage> known) {
    this.world = world;
    for (AppImage image : known) {
      images.put(image.name(), image);
      for (int i = 0; i < image.chains().size(); i++) {
        chains.put(image.chains().get(i), image.layers().subList(0, i + 1));
      }
    }
  }

  /** What was wrong. */
  public List<String> faults() {
    return List.copyOf(faults);
  }

  private void check(boolean right, String otherwise) {
    if (!right) {
      faults.add(otherwise);
    }
  }

  private List<String> rows(String sql) {
    return world.store().read(tx -> tx.all(sql, row -> row.text(0)));
  }

  private void none(String what, String sql) {
    List<String> rows = rows(sql);
    check(rows.isEmpty(), what + ": " + rows);
  }

  /** Whatever is recorded is there, and is what its name says. */
  public void whole() throws IOException {
    world.content().walk(Filter.ALL, this::wholeBlob);
    for (String namespace : rows("SELECT name FROM namespaces")) {
      Call.in(namespace)
          .call(
              () -> {
                wholeContent(namespace);
                wholeSnapshots(namespace);
                return true;
              });
    }
    none(
        "images without all of their blobs",
        "SELECT i.namespace || ' ' || i.name FROM images i WHERE NOT EXISTS (SELECT 1 FROM blobs b"
            + " WHERE b.namespace = i.namespace AND b.digest = i.digest)");
    none(
        "containers without their snapshots",
        "SELECT c.id FROM containers c WHERE c.snapshot_key != '' AND NOT EXISTS (SELECT 1 FROM"
            + " snapshots s WHERE s.namespace = c.namespace AND s.snapshotter = c.snapshotter AND"
            + " s.key = c.snapshot_key)");
    none(
        "snapshots without their parents",
        "SELECT s.key FROM snapshots s WHERE s.parent != '' AND NOT EXISTS (SELECT 1 FROM snapshots"
            + " p WHERE p.namespace = s.namespace AND p.snapshotter = s.snapshotter AND p.key ="
            + " s.parent AND p.kind = 'committed')");
    none(
        "leases that keep blobs which are not there",
        "SELECT r.lease || ' ' || r.id FROM lease_resources r WHERE r.type = 'content' AND NOT"
            + " EXISTS (SELECT 1 FROM blobs b WHERE b.namespace = r.namespace AND b.digest = r.id)");
    none(
        "leases that keep snapshots which are not there",
        "SELECT r.lease || ' ' || r.id FROM lease_resources r WHERE r.type LIKE 'snapshots/%' AND"
            + " NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.namespace = r.namespace AND"
            + " 'snapshots/' || s.snapshotter = r.type AND s.key = r.id)");
    none(
        "lease resources without lease",
        "SELECT r.lease FROM lease_resources r WHERE NOT EXISTS (SELECT 1 FROM leases l WHERE"
            + " l.namespace = r.namespace AND l.id = r.lease)");
    none("commits that nobody ended", "SELECT name FROM snapshot_commits");
    for (Map.Entry<String, AppImage> image : images.entrySet()) {
      closed(image.getValue());
    }
  }

  /** A named image has every blob that its manifest leads to. */
  private void closed(AppImage image) {
    for (String namespace :
        rows("SELECT namespace FROM images WHERE name = '" + image.name() + "'")) {
      Set<String> there =
          new HashSet<>(rows("SELECT digest FROM blobs WHERE namespace = '" + namespace + "'"));
      for (Digest blob : image.blobs().keySet()) {
        check(there.contains(blob.toString()), "image " + image.name() + " lacks " + blob);
      }
    }
  }

  private void wholeBlob(ContentInfo info) {
    check(
        digest(world.content(), info).equals(Optional.of(info.digest())),
        "blob " + info.digest() + " has other bytes");
  }

  private static Optional<Digest> digest(ContentStore store, ContentInfo info) {
    try (ContentReader reader = store.reader(info.digest())) {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(reader.size()));
      boolean more = true;
      while (more && all.hasRemaining()) {
        more = reader.read(all, all.position()) > 0;
      }
      return all.position() == info.size()
          ? Optional.of(Digest.sha256(all.array()))
          : Optional.empty();
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  private void wholeContent(String namespace) {
    ContentStore content = world.metadata().content();
    content.walk(
        Filter.ALL,
        info ->
            check(
                digest(content, info).equals(Optional.of(info.digest())),
                namespace + ": blob " + info.digest() + " is recorded, and missing or not whole"));
  }

  private void wholeSnapshots(String namespace) throws IOException {
    for (String name : world.snapshotters().keySet()) {
      for (String key :
          rows(
              "SELECT key FROM snapshots WHERE namespace = '%s' AND snapshotter = '%s'"
                  .formatted(namespace, name))) {
        String where = "%s: snapshot %s of %s ".formatted(namespace, key, name);
        try {
          SnapshotInfo info = world.metadata().snapshotter(name).stat(key);
          if (info.kind() == SnapshotKind.COMMITTED) {
            wholeLayer(where, namespace, name, key);
          } else {
            List<Mount> mounts = world.metadata().snapshotter(name).mounts(key);
            if (info.kind() == SnapshotKind.ACTIVE) {
              check(world.files().stat(Client.top(mounts)).isPresent(), where + "has no folder");
            }
          }
        } catch (ContainerdException e) {
          faults.add(where + "cannot be used: " + e);
        }
      }
    }
  }

  private void wholeLayer(String where, String namespace, String snapshotter, String chain)
      throws IOException {
    List<Layer> layers = chains.get(chain);
    List<String> ids =
        rows(
            ("SELECT CAST(b.id AS TEXT) FROM snapshots s JOIN backend_snapshots b ON b.snapshotter ="
                    + " s.snapshotter AND b.key = s.backend_key WHERE s.namespace = '%s' AND"
                    + " s.snapshotter = '%s' AND s.key = '%s'")
                .formatted(namespace, snapshotter, chain));
    if (layers == null || ids.isEmpty()) {
      check(layers == null, where + "has no record below");
      return;
    }
    Path folder = World.ROOT.resolve(snapshotter).resolve("snapshots").resolve(ids.getFirst());
    boolean overlay = snapshotter.equals("overlayfs");
    Map<String, String> expected = new TreeMap<>();
    for (Layer layer : overlay ? layers.subList(layers.size() - 1, layers.size()) : layers) {
      expected.putAll(layer.files());
    }
    Path top = overlay ? folder.resolve("fs") : folder;
    Map<String, String> found = new TreeMap<>();
    if (world.files().stat(top).isPresent()) {
      collect(world.files(), top, "", found);
    }
    check(found.keySet().equals(expected.keySet()), where + "has files " + found.keySet());
    found.forEach(
        (file, bytes) ->
            check(bytes.equals(expected.getOrDefault(file, bytes)), where + "damaged: " + file));
  }

  private void collect(Files files, Path folder, String prefix, Map<String, String> found)
      throws IOException {
    for (String name : files.list(folder)) {
      Path path = folder.resolve(name);
      FileStat stat = files.stat(path).orElseThrow();
      check(stat.mode() == FILE_MODE, path + " has mode " + Integer.toOctalString(stat.mode()));
      if (stat.isDirectory()) {
        collect(files, path, prefix + name + "/", found);
      } else {
        found.put(prefix + name, new String(files.readAll(path), StandardCharsets.US_ASCII));
      }
    }
  }

  /** Nothing is there that is not recorded; for after a collection. */
  public void tidy() throws IOException {
    none("condemned and still there", "SELECT key FROM condemned");
    none("folders not buried", "SELECT CAST(id AS TEXT) FROM backend_snapshot_graves");
    Set<String> blobs = new TreeSet<>();
    world.content().walk(Filter.ALL, info -> blobs.add(info.digest().toString()));
    same("blobs", blobs, rows("SELECT DISTINCT digest FROM blobs"));
    Set<String> ingests = new TreeSet<>();
    world.content().statuses(Filter.ALL).forEach(status -> ingests.add(status.ref()));
    ingests.removeAll(rows("SELECT backend_ref FROM ingests"));
    check(ingests.isEmpty(), "ingests that nobody knows: " + ingests);
    for (Map.Entry<String, Snapshotter> entry : world.snapshotters().entrySet()) {
      String name = entry.getKey();
      Set<String> keys = new TreeSet<>();
      entry.getValue().walk(Filter.ALL, info -> keys.add(info.name()));
      same(
          "snapshots of " + name,
          keys,
          rows("SELECT backend_key FROM snapshots WHERE snapshotter = '" + name + "'"));
      same(
          "folders of " + name,
          world.files().list(World.ROOT.resolve(name).resolve("snapshots")),
          rows(
              "SELECT CAST(id AS TEXT) FROM backend_snapshots WHERE snapshotter = '" + name + "'"));
    }
    leftovers(world.files(), World.ROOT);
  }

  private void same(String what, Collection<String> below, Collection<String> recorded) {
    check(
        new TreeSet<>(below).equals(new TreeSet<>(recorded)),
        "%s: there are %s, recorded are %s".formatted(what, below, recorded));
  }

  private void leftovers(Files files, Path folder) throws IOException {
    for (String name : files.list(folder)) {
      check(
          !name.startsWith(".") && !name.startsWith("rm-") && !name.startsWith("probe-"),
          "left behind: " + folder.resolve(name));
      if (files.stat(folder.resolve(name)).filter(FileStat::isDirectory).isPresent()) {
        leftovers(files, folder.resolve(name));
      }
    }
  }

  /** No operation is under way any more: its ingests, leases and active snapshots are gone. */
  public void quiet() {
    none("ingests of dead clients", "SELECT ref FROM ingests");
    none("leases of dead clients", "SELECT id FROM leases");
    none("unpacking of dead clients", "SELECT key FROM snapshots WHERE key LIKE 'extract-%'");
  }

  /** The image is there with all its parts. */
  public void complete(String namespace, AppImage image, String snapshotter) {
    Set<String> there =
        new HashSet<>(rows("SELECT digest FROM blobs WHERE namespace = '" + namespace + "'"));
    for (Digest blob : image.blobs().keySet()) {
      check(there.contains(blob.toString()), "pulled again, and without " + blob);
    }
    Set<String> snapshots =
        new HashSet<>(
            rows(
                "SELECT key FROM snapshots WHERE kind = 'committed' AND namespace = '%s' AND snapshotter = '%s'"
                    .formatted(namespace, snapshotter)));
    for (String chain : image.chains()) {
      check(snapshots.contains(chain), "pulled again, and without layer " + chain);
    }
    check(
        rows("SELECT name FROM images WHERE namespace = '" + namespace + "'")
            .contains(image.name()),
        "pulled again, and without the name " + image.name());
  }

  /** What clients were told holds. */
  public void promises(Collection<Told> told) {
    Map<String, Told.Kind> last = new TreeMap<>();
    told.forEach(one -> last.put(one.what(), one.kind()));
    Set<String> there = new HashSet<>();
    there.addAll(rows("SELECT namespace || ' image ' || name FROM images"));
    there.addAll(rows("SELECT namespace || ' blob ' || digest FROM blobs"));
    there.addAll(rows("SELECT namespace || ' container ' || id FROM containers"));
    there.addAll(rows("SELECT namespace || ' layer ' || snapshotter || ' ' || key FROM snapshots"));
    last.forEach(
        (what, kind) -> {
          switch (kind) {
            case PROMISED -> check(there.contains(what), "promised and lost: " + what);
            case GONE -> check(!there.contains(what), "removed and back: " + what);
            case RELEASED -> {}
          }
        });
  }
}
