package io.jcontainerd.daemon.storage;

import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.metadata.GcOptions;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.selfcheck.MountGate;
import io.jcontainerd.selfcheck.Parts;
import io.jcontainerd.selfcheck.ScrubOptions;
import io.jcontainerd.selfcheck.SelfCheck;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.LinuxTrees;
import io.jcontainerd.snapshots.NativeSnapshotter;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.snapshots.OverlaySupport;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.snapshots.UnpackNotes;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPOutputStream;

/** The storage of a daemon, put together by hand, with a registry that lives in memory. */
final class StorageScene implements AutoCloseable {
  static final String NS = "default";
  static final String HOST = "registry.example";
  static final String REPOSITORY = "some/image";
  static final String LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";

  final Path root;
  final Map<Digest, byte[]> registry = new ConcurrentHashMap<>();

  /** Where the registry is; the labels of blobs name the host alone. */
  volatile String registryAddress = HOST;

  /** Runs when the first byte of a blob is fetched. */
  volatile Runnable whenFetched = () -> {};

  final Disk disk = new Disk(new LinuxFiles());
  final Store store;
  final Metadata metadata;
  final SelfCheck care;
  final Applier applier;
  final Map<String, Snapshotter> backends = new HashMap<>();

  StorageScene(Path root) throws IOException {
    this(root, ScrubOptions.off(), "boot-1");
  }

  StorageScene(Path root, ScrubOptions scrub, String bootId) throws IOException {
    this.root = root;
    Files files = disk.files();
    var kernel = new LinuxKernel(root.resolve("tmpmounts"));
    var mounter = new Mounter(kernel, root.resolve("tmpmounts"));
    store =
        Store.open(
            root.resolve("store.db"),
            StoreOptions.DEFAULTS,
            List.of(Metadata.SCHEMA, SnapshotSchema.SCHEMA, MountGate.SCHEMA));
    LocalContentStore content =
        LocalContentStore.open(root.resolve("content"), files, Time.SYSTEM, bootId);
    var notes = new UnpackNotes();
    var environment = new Environment(store, files, kernel, new LinuxTrees(), Time.SYSTEM, notes);
    Path overlays = root.resolve("overlayfs");
    backends.put(
        "overlayfs",
        OverlaySnapshotter.open(
            overlays,
            environment,
            OverlaySupport.probe(overlays, files, kernel),
            OverlaySnapshotter.Options.DEFAULTS));
    backends.put("native", NativeSnapshotter.open(root.resolve("native"), environment));
    var gate = new MountGate(store, Time.SYSTEM);
    Map<String, Snapshotter> guarded = new HashMap<>();
    Map<String, CheckedTrees> trees = new HashMap<>();
    backends.forEach(
        (name, backend) -> {
          guarded.put(name, gate.before(name, backend));
          trees.put(name, (CheckedTrees) backend);
        });
    metadata =
        Metadata.open(
            store,
            content,
            guarded,
            MetadataOptions.DEFAULTS.withGc(
                new GcOptions(1e-7, 0, 100, Duration.ZERO, Duration.ZERO)));
    applier = new LayerApplier(metadata.content(), mounter, notes);
    care =
        SelfCheck.open(
            new Parts(
                content.checked(),
                content,
                trees,
                metadata.records(),
                new LayerApplier(content, mounter),
                Optional.of(new InMemoryRegistry()),
                Time.SYSTEM),
            gate,
            scrub,
            bootId);
  }

  /** Gives what it holds to those who name the right repository. */
  private final class InMemoryRegistry implements Registry {
    @Override
    public Descriptor resolve(String reference) {
      throw new UnsupportedOperationException(reference);
    }

    @Override
    public InputStream fetch(String reference, Descriptor descriptor, long offset) {
      byte[] bytes = registry.get(descriptor.digest());
      if (bytes == null || !reference.startsWith(registryAddress + "/" + REPOSITORY + "@")) {
        throw new NotFoundException("nothing like " + reference);
      }
      return new ByteArrayInputStream(bytes) {
        @Override
        public synchronized int read(byte[] into, int offset, int length) {
          if (pos == 0) {
            whenFetched.run();
          }
          return super.read(into, offset, length);
        }
      };
    }

    @Override
    public boolean push(String reference, Descriptor descriptor, Source source) {
      throw new UnsupportedOperationException(reference);
    }

    @Override
    public List<String> tags(String reference) {
      throw new UnsupportedOperationException(reference);
    }
  }

  /** What the registry has. */
  byte[] bytes(Digest digest) {
    return Objects.requireNonNull(registry.get(digest), "a blob of the registry");
  }

  static byte[] gzip(byte[] bytes) {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Puts a blob into the store and the registry. */
  Digest blob(byte[] bytes, Map<String, String> labels) {
    return Call.in(NS)
        .call(
            () -> {
              Digest digest = Digest.sha256(bytes);
              registry.put(digest, bytes);
              var all = new HashMap<>(labels);
              all.put("containerd.io/distribution.source." + HOST, REPOSITORY);
              try (Ingest ingest =
                  metadata
                      .content()
                      .ingest(new IngestRequest("ref-" + digest, bytes.length, Optional.empty()))) {
                ingest.write(ByteBuffer.wrap(bytes));
                ingest.commit(bytes.length, Optional.of(digest), all);
              } catch (AlreadyExistsException _) {
                // as good
              }
              return digest;
            });
  }

  /** Unpacks layers onto each other as a client does; returns the top's chain id. */
  String unpack(String snapshotter, List<byte[]> layers) {
    String parent = "";
    for (byte[] tar : layers) {
      Digest blob = blob(gzip(tar), Map.of("containerd.io/gc.root", "yes"));
      parent = unpack(snapshotter, blob, tar, parent);
    }
    return parent;
  }

  String unpack(String snapshotter, Digest blob, byte[] tar, String parent) {
    Digest diffId = Digest.sha256(tar);
    String chain =
        parent.isEmpty()
            ? diffId.toString()
            : Digest.sha256((parent + " " + diffId).getBytes(StandardCharsets.UTF_8)).toString();
    Call.in(NS)
        .call(
            () -> {
              Snapshotter snapshots = metadata.snapshotter(snapshotter);
              try {
                snapshots.stat(chain);
                return chain;
              } catch (NotFoundException _) {
                // to be made
              }
              String key = "extract " + chain;
              Map<String, String> root = Map.of("containerd.io/gc.root", "yes");
              switch (snapshots.prepare(key, parent, root)) {
                case Prepared.Writable(var mounts) ->
                    applier.apply(
                        new Descriptor(LAYER_TYPE, blob, bytes(blob).length),
                        mounts,
                        new Applier.Options(Map.of(), false));
                case Prepared.AlreadyThere _ -> throw new AssertionError("there already");
              }
              snapshots.commit(chain, key, root, "");
              return chain;
            });
    return chain;
  }

  void image(String name, Digest target, long size, Map<String, String> labels) {
    Call.in(NS)
        .run(
            () ->
                metadata
                    .images()
                    .create(
                        new Image(
                            name,
                            new Descriptor(
                                "application/vnd.oci.image.manifest.v1+json", target, size),
                            labels,
                            Instant.now(),
                            Instant.now()),
                        Optional.empty()));
  }

  void label(Digest digest, String key, String value) {
    Call.in(NS)
        .run(
            () -> {
              ContentInfo info = metadata.content().info(digest);
              var labels = new HashMap<>(info.labels());
              labels.put(key, value);
              metadata
                  .content()
                  .update(
                      new ContentInfo(digest, 0, info.createdAt(), info.updatedAt(), labels),
                      new FieldMask(List.of("labels." + key)));
            });
  }

  List<Finding> check(boolean deep, boolean repair) throws InterruptedException {
    List<Finding> findings = new ArrayList<>();
    care.check(new StorageCare.Request(deep, repair), findings::add);
    return findings;
  }

  Path blobFile(Digest digest) {
    return root.resolve("content/blobs").resolve(digest.algorithm()).resolve(digest.hex());
  }

  @Override
  public void close() {
    care.close();
    metadata.close();
    backends.values().forEach(Snapshotter::close);
    store.close();
  }
}
