package io.jcontainerd.bench;

import io.jcontainerd.bench.OciArchive.Blob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Fills a store with images of five small blobs each; the same ones in every store. */
final class CrowdedStore {
  static final int LAYERS = 3;

  /** One image in this many has the label that filtered lists ask for. */
  static final int RARE = 100;

  static final String LABEL = "bench.team";

  private static final int WRITERS = 32;
  private static final int BLOB_BYTES = 200;
  private static final String CHILD = "containerd.io/gc.ref.content.";

  private final StorageApi api;

  CrowdedStore(StorageApi api) {
    this.api = api;
  }

  static String name(int number) {
    return "registry.example/team/image-" + number + ":1";
  }

  /** Writes {@code images} images. */
  void images(int images) throws InterruptedException {
    String lease = "bench-fill";
    api.createLease(lease);
    inParallel(images, number -> image(number, lease));
    api.deleteLease(lease);
  }

  private Void image(int number, String lease) throws InterruptedException {
    Blob config =
        api.write(
            """
            {"architecture": "%s", "os": "linux", "config": {"Labels": {"n": "%d"}},
             "rootfs": {"type": "layers", "diff_ids": []}}
            """
                .formatted(OciArchive.architecture(), number)
                .getBytes(StandardCharsets.UTF_8),
            Map.of(),
            lease);
    var layers = new ArrayList<Blob>();
    for (int i = 0; i < LAYERS; i++) {
      layers.add(api.write(bytes(number * 31L + i), Map.of(), lease));
    }
    var labels = new HashMap<String, String>();
    labels.put(CHILD + "config", config.digest());
    for (int i = 0; i < LAYERS; i++) {
      labels.put(CHILD + "l." + i, layers.get(i).digest());
    }
    String manifest = OciArchive.manifest(config, layers, OciArchive.LAYER);
    Blob target = api.write(manifest.getBytes(StandardCharsets.UTF_8), labels, lease);
    api.createImage(name(number), target, Map.of(LABEL, number % RARE == 0 ? "rare" : "common"));
    return null;
  }

  /** Writes blobs that nothing but a lease keeps, and returns one of them. */
  Blob leased(String lease, int blobs, long seed) throws InterruptedException {
    api.createLease(lease);
    inParallel(
        blobs,
        number -> {
          api.write(bytes(seed * 1_000_003L + number), Map.of(), lease);
          return null;
        });
    return Blob.of(bytes(seed * 1_000_003L));
  }

  private static byte[] bytes(long seed) {
    var bytes = new byte[BLOB_BYTES];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A piece of work with a number. */
  interface Numbered {
    Void run(int number) throws InterruptedException;
  }

  /** Does the work for the numbers from 0 on, as many at a time as there are writers. */
  static void inParallel(int count, Numbered work) throws InterruptedException {
    try (var threads = Executors.newFixedThreadPool(WRITERS)) {
      List<Callable<Void>> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int number = i;
        all.add(() -> work.run(number));
      }
      for (Future<Void> done : threads.invokeAll(all)) {
        done.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("filling the store failed", e.getCause());
    }
  }
}
