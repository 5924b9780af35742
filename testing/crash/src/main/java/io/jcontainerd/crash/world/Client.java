package io.jcontainerd.crash.world;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.crash.disk.Told;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A client that pulls, unpacks, runs and removes images the way {@code ctr} does: call by call, and
 * knowing nothing of how the daemon keeps things. What exists already it takes; what was begun it
 * goes on with; nothing that fails makes it clean up, since it may be dead by then.
 */
public final class Client {
  /** The label by which a configuration keeps the snapshots of its image. */
  private static final String SNAPSHOT_REFERENCE = "containerd.io/gc.ref.snapshot.";

  private static final int CHUNK = 900;
  private static final int FILE_MODE = 0755;
  private static final Instant BEGINNING = Instant.parse("2026-01-01T00:00:00Z");

  private final World world;
  private final String namespace;
  private final String run;
  private final Consumer<Told> told;

  /** When an image gets its name. */
  public enum Naming {
    /** As {@code ctr image pull} does: when its blobs are there, before it is unpacked. */
    BEFORE_UNPACKING,
    /** As the library's pull does: when it is unpacked. */
    AFTER_UNPACKING
  }

  /**
   * A client of that daemon.
   *
   * @param run makes what this client invents differ from what others invent
   * @param told gets what this client knows
   */
  public Client(World world, String namespace, String run, Consumer<Told> told) {
    this.world = world;
    this.namespace = namespace;
    this.run = run;
    this.told = told;
  }

  private void tell(String what, Told.Kind kind) {
    told.accept(new Told(namespace + " " + what, kind));
  }

  private ContentStore content() {
    return world.metadata().content();
  }

  private Snapshotter snapshotter(String name) {
    return world.metadata().snapshotter(name);
  }

  private Call call() {
    return Call.in(namespace);
  }

  /** Does something under a lease that would end by itself a day later. */
  public void leased(Runnable work) {
    String lease = "lease-" + run;
    call()
        .run(
            () -> {
              String expiry = BEGINNING.plus(Duration.ofDays(1)).toString();
              try {
                world.metadata().leases().create(lease, Map.of("containerd.io/gc.expire", expiry));
              } catch (AlreadyExistsException _) {
                // An earlier try of this client left it.
              }
            });
    call().withLease(lease).run(work);
    call().run(() -> world.metadata().leases().delete(lease, false));
  }

  /** Fetches, names and unpacks an image. */
  public void pull(AppImage image, String snapshotter, Naming naming) {
    leased(
        () -> {
          fetch(image);
          if (naming == Naming.BEFORE_UNPACKING) {
            name(image);
          }
          unpack(image, snapshotter);
          if (naming == Naming.AFTER_UNPACKING) {
            name(image);
          }
        });
  }

  /** Fetches an image's blobs, under a lease of the caller's. */
  public void fetch(AppImage image) {
    Map<Digest, byte[]> blobs = image.blobs();
    blobs.forEach(
        (digest, bytes) -> {
          write(digest, bytes, bytes.length);
          if (digest.equals(Digest.sha256(image.manifest()))) {
            label(digest, references(List.copyOf(blobs.keySet())));
          }
        });
  }

  private static Map<String, String> references(List<Digest> blobs) {
    Map<String, String> labels = new HashMap<>();
    labels.put("containerd.io/gc.ref.content.config", blobs.get(1).toString());
    for (int i = 2; i < blobs.size(); i++) {
      labels.put("containerd.io/gc.ref.content.l." + (i - 2), blobs.get(i).toString());
    }
    return labels;
  }

  private void label(Digest digest, Map<String, String> labels) {
    ContentInfo old = content().info(digest);
    List<String> paths = labels.keySet().stream().map(key -> "labels." + key).toList();
    content()
        .update(
            new ContentInfo(digest, old.size(), old.createdAt(), old.updatedAt(), labels),
            new FieldMask(paths));
  }

  /**
   * Writes a blob from where its ingest stands, and commits it if all of it was to be written.
   *
   * @param until how much of it
   */
  public void write(Digest digest, byte[] bytes, int until) {
    if (content().find(digest).isPresent()) {
      return;
    }
    try (Ingest ingest =
        content().ingest(new IngestRequest("layer-" + digest, bytes.length, Optional.of(digest)))) {
      for (int at = (int) ingest.status().offset(); at < until; ) {
        int next = Math.min(until, at + CHUNK);
        ingest.write(ByteBuffer.wrap(bytes, at, next - at));
        at = next;
      }
      if (until == bytes.length) {
        ingest.commit(bytes.length, Optional.of(digest), Map.of());
      }
    } catch (AlreadyExistsException _) {
      // Somebody else was quicker: it is there, and that is what counts.
    }
    if (until == bytes.length) {
      tell("blob " + digest, Told.Kind.PROMISED);
    }
  }

  /** Names an image whose blobs are there. */
  public void name(AppImage image) {
    Descriptor target =
        new Descriptor(
            "application/vnd.oci.image.manifest.v1+json",
            Digest.sha256(image.manifest()),
            image.manifest().length);
    Image record = new Image(image.name(), target, Map.of(), BEGINNING, BEGINNING);
    try {
      world.metadata().images().create(record, Optional.empty());
    } catch (AlreadyExistsException _) {
      world.metadata().images().update(record, FieldMask.ALL, Optional.empty());
    }
    tell("image " + image.name(), Told.Kind.PROMISED);
  }

  /** Unpacks an image whose blobs are there, and says so on its configuration. */
  public void unpack(AppImage image, String snapshotter) {
    unpackLayers(image, snapshotter);
    finish(image, snapshotter);
  }

  /** Unpacks layers, and says nothing of it to anybody. */
  public void unpackLayers(AppImage image, String snapshotter) {
    List<String> chains = image.chains();
    for (int i = 0; i < chains.size(); i++) {
      String parent = i == 0 ? "" : chains.get(i - 1);
      unpack(image.layers().get(i), parent, chains.get(i), snapshotter);
    }
  }

  /** As {@link #unpack}, but no layer waits for the one below it. */
  public void unpackSideBySide(AppImage image, String snapshotter) {
    List<String> chains = image.chains();
    List<Runnable> commits = new ArrayList<>();
    for (int i = 0; i < chains.size(); i++) {
      String key = key(i, chains.get(i));
      String parent = i == 0 ? "" : chains.get(i - 1);
      String chain = chains.get(i);
      if (isThere(snapshotter, chain)) {
        continue;
      }
      switch (snapshotter(snapshotter).prepare(key, "", target(chain))) {
        case Prepared.AlreadyThere _ -> {}
        case Prepared.Writable(List<Mount> mounts) -> {
          apply(image.layers().get(i), mounts);
          commits.add(() -> commit(snapshotter, chain, key, parent));
        }
      }
    }
    commits.forEach(Runnable::run);
    finish(image, snapshotter);
  }

  private void finish(AppImage image, String snapshotter) {
    label(
        Digest.sha256(image.config()),
        Map.of(SNAPSHOT_REFERENCE + snapshotter, image.chains().getLast()));
    tellLayers(image, snapshotter, Told.Kind.PROMISED);
  }

  private void tellLayers(AppImage image, String snapshotter, Told.Kind kind) {
    for (String chain : image.chains()) {
      tell("layer " + snapshotter + " " + chain, kind);
    }
  }

  /** Fetches, unpacks and names an image, without a word about its layers to anybody. */
  public void pullQuietly(AppImage image, String snapshotter) {
    leased(
        () -> {
          fetch(image);
          unpackLayers(image, snapshotter);
          name(image);
          tellLayers(image, snapshotter, Told.Kind.PROMISED);
          tellLayers(image, snapshotter, Told.Kind.RELEASED); // only the lease keeps them
        });
  }

  /** Other clients, and other tries of this one, have other keys. */
  private String key(int number, String chain) {
    return "extract-%d%d-%s %s".formatted(number, world.store().lastEvent(), run, chain);
  }

  private static Map<String, String> target(String chain) {
    return Map.of("containerd.io/snapshot.ref", chain);
  }

  private boolean isThere(String snapshotter, String chain) {
    try {
      SnapshotInfo _ = snapshotter(snapshotter).stat(chain);
      return true;
    } catch (NotFoundException _) {
      return false;
    }
  }

  private void unpack(Layer layer, String parent, String chain, String snapshotter) {
    for (int tries = 0; tries < 3; tries++) {
      if (isThere(snapshotter, chain)) {
        return;
      }
      String key = key(tries, chain);
      switch (snapshotter(snapshotter).prepare(key, parent, target(chain))) {
        case Prepared.AlreadyThere _ -> {}
        case Prepared.Writable(List<Mount> mounts) -> {
          apply(layer, mounts);
          commit(snapshotter, chain, key, parent);
        }
      }
    }
    throw new UnavailableException("layer " + chain + " comes and goes");
  }

  private void commit(String snapshotter, String chain, String key, String parent) {
    try {
      snapshotter(snapshotter).commit(chain, key, Map.of(), parent);
    } catch (AlreadyExistsException _) {
      // Somebody else was quicker.
    }
  }

  private void apply(Layer layer, List<Mount> mounts) {
    byte[] blob = read(layer.digest());
    try {
      Path top = top(mounts);
      for (Map.Entry<String, byte[]> file : Layer.unpack(blob).entrySet()) {
        put(world.files(), top, file.getKey(), file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] read(Digest digest) {
    try (ContentReader reader = content().reader(digest)) {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(reader.size()));
      boolean more = true;
      while (more && all.hasRemaining()) {
        more = reader.read(all, all.position()) > 0;
      }
      return all.array();
    }
  }

  /** The folder into which a writer of the mounts' tree writes. */
  static Path top(List<Mount> mounts) {
    Mount mount = mounts.getLast();
    return Path.of(
        mount.options().stream()
            .filter(option -> option.startsWith("upperdir="))
            .map(option -> option.substring("upperdir=".length()))
            .findFirst()
            .orElse(mount.source()));
  }

  private static void put(Files files, Path top, String name, byte[] bytes) throws IOException {
    Path file = top.resolve(name);
    Path folder = file.getParent();
    if (folder != null && files.stat(folder).isEmpty()) {
      files.createDirectory(folder, FILE_MODE);
    }
    PlainTrees.write(files, file, bytes, 0600);
    files.setMode(file, FILE_MODE);
  }

  /** Makes a container on an unpacked image, which writes something. */
  public void run(String id, AppImage image, String snapshotter) {
    call()
        .run(
            () -> {
              List<Mount> mounts =
                  switch (snapshotter(snapshotter)
                      .prepare(id, image.chains().getLast(), Map.of())) {
                    case Prepared.Writable(List<Mount> writable) -> writable;
                    case Prepared.AlreadyThere there ->
                        throw new IllegalStateException("nobody asked for " + there);
                  };
              world
                  .metadata()
                  .containers()
                  .create(
                      new Container(
                          id,
                          Map.of(),
                          image.name(),
                          new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
                          Optional.of(new TypedValue("spec", new byte[] {1})),
                          snapshotter,
                          id,
                          Map.of(),
                          "",
                          BEGINNING,
                          BEGINNING));
              tell("container " + id, Told.Kind.PROMISED);
              tellLayers(image, snapshotter, Told.Kind.PROMISED);
              try {
                put(world.files(), top(mounts), "written-by-" + id, new byte[700]);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  /** Removes a container with its snapshot. */
  public void removeContainer(String id, String snapshotter) {
    call()
        .run(
            () -> {
              tell("container " + id, Told.Kind.RELEASED);
              world.metadata().containers().delete(id);
              tell("container " + id, Told.Kind.GONE);
              snapshotter(snapshotter).remove(id);
            });
  }

  /**
   * Removes an image's name, and collects what only it kept.
   *
   * @param kept images that stay
   */
  public void remove(AppImage image, List<AppImage> kept, List<String> snapshotters) {
    removeName(image, kept, snapshotters);
    collect();
  }

  /** As {@link #remove}, but leaves the rest to a later collection. */
  public void removeName(AppImage image, List<AppImage> kept, List<String> snapshotters) {
    call()
        .run(
            () -> {
              release(image, kept, snapshotters);
              world.metadata().images().delete(image.name(), Optional.empty(), false);
              tell("image " + image.name(), Told.Kind.GONE);
            });
  }

  private void release(AppImage image, List<AppImage> kept, List<String> snapshotters) {
    tell("image " + image.name(), Told.Kind.RELEASED);
    for (Digest blob : image.blobs().keySet()) {
      if (kept.stream().noneMatch(other -> other.blobs().containsKey(blob))) {
        tell("blob " + blob, Told.Kind.RELEASED);
      }
    }
    for (String chain : image.chains()) {
      if (kept.stream().noneMatch(other -> other.chains().contains(chain))) {
        snapshotters.forEach(name -> tell("layer " + name + " " + chain, Told.Kind.RELEASED));
      }
    }
  }

  /** Removes an image's snapshots one by one, the topmost first, and then its blobs. */
  public void removeParts(AppImage image, String snapshotter) {
    call()
        .run(
            () -> {
              release(image, List.of(), List.of(snapshotter));
              for (String chain : image.chains().reversed()) {
                snapshotter(snapshotter).remove(chain);
                tell("layer " + snapshotter + " " + chain, Told.Kind.GONE);
              }
              snapshotter(snapshotter).cleanup();
              for (Digest blob : image.blobs().keySet()) {
                content().delete(blob);
                tell("blob " + blob, Told.Kind.GONE);
              }
            });
  }

  /** Begins an ingest, writes a part and leaves it. */
  public void writePart(Digest digest, byte[] bytes, int until) {
    call().run(() -> write(digest, bytes, until));
  }

  /** Gives an ingest up. */
  public void abort(Digest digest) {
    call().run(() -> content().abort("layer-" + digest));
  }

  /** Runs the garbage collector. */
  public void collect() {
    world.metadata().collector().collect();
  }
}
