package io.jcontainerd.bench;

import io.jcontainerd.bench.OciArchive.Blob;
import io.jcontainerd.bench.layers.Codec;
import io.jcontainerd.bench.layers.LayerPlan;
import io.jcontainerd.bench.layers.MadeUpFiles;
import io.jcontainerd.bench.layers.PackedLayer;
import io.jcontainerd.bench.layers.TreeArchive;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The images that are pulled, in a registry whose storage is kept for later runs: the Debian image
 * in so many layers, and images of one layer of so many mebibytes.
 */
final class PullImages {
  private static final String DEBIAN = "bench/debian-tools";
  private static final String BULK = "bench/bulk";
  private static final Pattern BLOB =
      Pattern.compile("\"digest\": \"(sha256:[0-9a-f]{64})\", \"size\": ([0-9]+)");
  private static final double MEGABYTE = 1e6;

  private final Path kept;
  private final String address;

  /**
   * @param kept the folder of kept things
   * @param address the registry's
   */
  PullImages(Path kept, String address) {
    this.kept = kept;
    this.address = address;
  }

  /**
   * An image in the registry.
   *
   * @param name its repository and tag, to follow an address
   * @param layers as they are packed
   */
  record Stored(String name, List<Blob> layers) {
    double megabytes() {
      return layers.stream().mapToLong(Blob::size).sum() / MEGABYTE;
    }
  }

  /** The Debian image in layers. */
  Stored debian(int layers, Codec codec) throws IOException, InterruptedException {
    String tag = layers + "-" + codec.name().toLowerCase(Locale.ROOT);
    return stored(
        DEBIAN,
        "2-" + tag,
        codec,
        work -> {
          Path plain = plain();
          var tree = new TreeArchive(plain);
          var made = new ArrayList<PackedLayer>();
          for (BitSet part : LayerPlan.split(tree.members(), layers)) {
            made.add(
                PackedLayer.make(
                    out -> tree.write(part, out), codec, work.resolve("layer" + made.size())));
          }
          return made;
        });
  }

  /** The Debian image's only layer, as it was before it was packed. */
  Path plain() throws IOException, InterruptedException {
    Path file = kept.resolve("debian-tools-2.layer");
    if (!Files.exists(file)) {
      Path fresh = kept.resolve("debian-tools-2.layer.new");
      Process gzip =
          new ProcessBuilder("gzip", "-dc")
              .redirectOutput(fresh.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (var out = gzip.getOutputStream()) {
        new TreeArchive(DebianImage.in(kept)).largest(out);
      }
      if (gzip.waitFor() != 0) {
        throw new IOException("the layer of " + DebianImage.NAME + " cannot be unpacked");
      }
      Files.move(fresh, file);
    }
    return file;
  }

  /** An image of one layer, packed by gzip to about so many megabytes. */
  Stored bulk(int megabytes) throws IOException, InterruptedException {
    int files = (int) (megabytes * MEGABYTE / (MadeUpFiles.BYTES * 0.8));
    return stored(
        BULK,
        megabytes + "mb",
        Codec.GZIP,
        work ->
            List.of(
                PackedLayer.make(
                    out -> MadeUpFiles.write(files, out), Codec.GZIP, work.resolve("layer"))));
  }

  private interface Layers {
    List<PackedLayer> in(Path work) throws IOException, InterruptedException;
  }

  private Stored stored(String repository, String tag, Codec codec, Layers layers)
      throws IOException, InterruptedException {
    String name = repository + ":" + tag;
    try (RegistryUpload registry = new RegistryUpload(address, repository)) {
      String manifest = registry.manifest(tag);
      if (manifest.isEmpty()) {
        System.out.println("# making " + name + ", once");
        Path work = Files.createTempDirectory(kept, "layers");
        try {
          manifest = push(registry, tag, codec, layers.in(work));
        } finally {
          Commands.run(List.of("rm", "-rf", work.toString()));
        }
      }
      List<Blob> blobs =
          BLOB.matcher(manifest)
              .results()
              .map(found -> new Blob(found.group(1), Long.parseLong(found.group(2))))
              .toList();
      return new Stored(name, blobs.subList(1, blobs.size())); // the first one is the config
    }
  }

  private static String push(
      RegistryUpload registry, String tag, Codec codec, List<PackedLayer> layers)
      throws IOException, InterruptedException {
    var blobs = new ArrayList<Blob>();
    for (PackedLayer layer : layers) {
      Blob blob = new Blob(layer.digest(), layer.size());
      registry.blob(blob, BodyPublishers.ofFile(layer.file()));
      blobs.add(blob);
    }
    byte[] config =
        OciArchive.config(layers.stream().map(PackedLayer::diffId).toList())
            .getBytes(StandardCharsets.UTF_8);
    Blob configBlob = Blob.of(config);
    registry.blob(configBlob, BodyPublishers.ofByteArray(config));
    String manifest = OciArchive.manifest(configBlob, blobs, codec.mediaType());
    registry.manifest(tag, manifest);
    return manifest;
  }
}
