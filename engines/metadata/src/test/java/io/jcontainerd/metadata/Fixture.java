package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import io.jcontainerd.testkit.time.VirtualTime;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** Metadata over backends in memory, whose collector runs only when asked. */
final class Fixture implements AutoCloseable {
  static final String NS = "ns";
  static final String SN = "overlayfs";
  static final GcOptions WHEN_ASKED = new GcOptions(1e-7, 0, 100, Duration.ZERO, Duration.ZERO);

  final VirtualTime time = new VirtualTime();
  final ContentStore blobs =
      InNamespace.of("backend", ContentStore.class, new InMemoryContentStore(time));
  final Snapshotter trees =
      InNamespace.of("backend", Snapshotter.class, new InMemorySnapshotter(time));
  final ScriptedActivator mounts = new ScriptedActivator();
  private final Path folder;
  private final MetadataOptions options;

  /** What stands before the backends from the next opening on. */
  UnaryOperator<Snapshotter> beforeTrees = UnaryOperator.identity();

  UnaryOperator<ContentStore> beforeBlobs = UnaryOperator.identity();

  /** Further snapshotters, from the next opening on. */
  final Map<String, Snapshotter> more = new LinkedHashMap<>();

  Store store;
  Metadata metadata;

  Fixture(Path folder) {
    this(folder, MetadataOptions.DEFAULTS);
  }

  Fixture(Path folder, MetadataOptions options) {
    this.folder = folder;
    this.options = options;
    this.store = openStore();
    this.metadata = openMetadata();
  }

  private Store openStore() {
    return Store.open(folder.resolve("meta.db"), StoreOptions.DEFAULTS, List.of(Metadata.SCHEMA));
  }

  private Metadata openMetadata() {
    Map<String, Snapshotter> snapshotters = new LinkedHashMap<>(more);
    snapshotters.put(SN, beforeTrees.apply(trees));
    Metadata opened =
        Metadata.open(
            store,
            beforeBlobs.apply(blobs),
            snapshotters,
            Optional.of(mounts),
            options.withTime(time).withGc(WHEN_ASKED));
    opened.collector().collect(); // from here on the next run by itself is hours away
    return opened;
  }

  void reopen() {
    close();
    store = openStore();
    metadata = openMetadata();
  }

  @Override
  public void close() {
    metadata.close();
    store.close();
  }

  // ---- short words for what tests do ----

  <T> T in(String namespace, Callable<T> body) {
    return within(Call.in(namespace), body);
  }

  <T> T with(String lease, Callable<T> body) {
    return within(Call.in(NS).withLease(lease), body);
  }

  private static <T> T within(Call call, Callable<T> body) {
    return call.call(
        () -> {
          try {
            return body.call();
          } catch (RuntimeException e) {
            throw e;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }

  Duration collect() {
    return metadata.collector().collect();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static Digest digest(String text) {
    return Digest.sha256(bytes(text));
  }

  /** Writes a blob in the current call. */
  Digest blob(String text, Map<String, String> labels) {
    try (Ingest ingest = metadata.content().ingest(new IngestRequest("ref-" + text))) {
      ingest.write(ByteBuffer.wrap(bytes(text)));
      return ingest.commit(0, Optional.empty(), labels);
    }
  }

  Digest blob(String text) {
    return blob(text, Map.of());
  }

  Snapshotter snapshots() {
    return metadata.snapshotter(SN);
  }

  /** Makes a committed snapshot in the current call. */
  String layer(String name, String parent, Map<String, String> labels) {
    snapshots().prepare("extract-" + name, parent, Map.of());
    snapshots().commit(name, "extract-" + name, labels, "");
    return name;
  }

  Image image(String name, Digest target, Map<String, String> labels) {
    return metadata
        .images()
        .create(
            new Image(
                name,
                new Descriptor("application/vnd.oci.image.manifest.v1+json", target, 7),
                labels,
                Instant.EPOCH,
                Instant.EPOCH),
            Optional.empty());
  }

  Container container(String id, String snapshotKey, Map<String, String> labels) {
    return metadata.containers().create(containerOf(id, snapshotKey, labels));
  }

  static Container containerOf(String id, String snapshotKey, Map<String, String> labels) {
    return new Container(
        id,
        labels,
        "an-image",
        new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
        Optional.of(new TypedValue("types.containerd.io/spec", bytes("{}"))),
        snapshotKey.isEmpty() ? "" : SN,
        snapshotKey,
        Map.of(),
        "",
        Instant.EPOCH,
        Instant.EPOCH);
  }

  /** What the backends have, by the clients' names. */
  List<String> backendSnapshots() {
    List<String> keys = new ArrayList<>();
    trees.walk(
        Filter.ALL,
        info -> {
          String key = info.name();
          keys.add(key.substring(key.indexOf('/', key.indexOf('/') + 1) + 1));
        });
    return keys;
  }

  List<Digest> backendBlobs() {
    List<Digest> digests = new ArrayList<>();
    blobs.walk(Filter.ALL, info -> digests.add(info.digest()));
    return digests;
  }

  List<String> snapshotNames() {
    return in(
        NS,
        () -> {
          List<String> names = new ArrayList<>();
          snapshots().walk(Filter.ALL, info -> names.add(info.name()));
          return names;
        });
  }

  boolean has(Digest digest) {
    return in(NS, () -> metadata.content().find(digest)).isPresent();
  }
}
