package io.jcontainerd.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** Images of one layer as archives in OCI layout, which {@code ctr images import} reads. */
final class OciArchive {
  static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

  /** How the layer lies in the archive. */
  enum Packing {
    NONE(""),
    GZIP("+gzip");

    private final String suffix;

    Packing(String suffix) {
      this.suffix = suffix;
    }
  }

  private OciArchive() {}

  /** Writes an image whose layer is a tar; the folder of the archive gets some more files. */
  static void write(Path archive, String name, Path tar, Packing packing)
      throws IOException, InterruptedException {
    Path work = Files.createTempDirectory(archive.toAbsolutePath().getParent(), "layout");
    Path blobs = Files.createDirectories(work.resolve("blobs/sha256"));
    String plain = digest(tar);
    Path packed = tar;
    if (packing == Packing.GZIP) {
      packed = work.resolve("layer");
      Commands.run(
          List.of("sh", "-c", "gzip -c \"$0\" > \"$1\"", tar.toString(), packed.toString()));
    }
    Blob layer = new Blob(digest(packed), Files.size(packed));
    Files.move(packed, blobs.resolve(layer.hex()));
    Blob config = put(blobs, config(List.of(plain)));
    Blob manifest = put(blobs, manifest(config, List.of(layer), LAYER + packing.suffix));
    Files.writeString(
        work.resolve("index.json"),
        """
        {"schemaVersion": 2, "manifests": [{"mediaType": "%s", %s,
          "annotations": {"io.containerd.image.name": "%s"}}]}
        """
            .formatted(MANIFEST, manifest.fields(), name));
    Files.writeString(work.resolve("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}");
    Commands.run(
        List.of(
            "tar",
            "-C",
            work.toString(),
            "-cf",
            archive.toString(),
            "blobs",
            "index.json",
            "oci-layout"));
    Commands.run(List.of("rm", "-rf", work.toString()));
  }

  /** A config as JSON, of layers with these digests before they were packed. */
  static String config(List<String> diffIds) {
    return """
        {"architecture": "%s", "os": "linux", "config": {"Env": ["PATH=/bin"]},
         "rootfs": {"type": "layers", "diff_ids": [%s]}}
        """
        .formatted(
            architecture(),
            diffIds.stream().map(id -> '"' + id + '"').collect(Collectors.joining(", ")));
  }

  /** A manifest as JSON. */
  static String manifest(Blob config, List<Blob> layers, String layerType) {
    var list = new StringBuilder();
    for (Blob layer : layers) {
      list.append(list.isEmpty() ? "" : ", ")
          .append("{\"mediaType\": \"%s\", %s}".formatted(layerType, layer.fields()));
    }
    return """
        {"schemaVersion": 2, "mediaType": "%s",
         "config": {"mediaType": "%s", %s},
         "layers": [%s]}
        """
        .formatted(MANIFEST, CONFIG, config.fields(), list);
  }

  /** What a descriptor tells of a blob. */
  record Blob(String digest, long size) {
    static Blob of(byte[] bytes) {
      return new Blob(name(sha256().digest(bytes)), bytes.length);
    }

    String hex() {
      return digest.substring(digest.indexOf(':') + 1);
    }

    String fields() {
      return "\"digest\": \"" + digest + "\", \"size\": " + size;
    }
  }

  private static Blob put(Path blobs, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Blob blob = Blob.of(bytes);
    Files.write(blobs.resolve(blob.hex()), bytes);
    return blob;
  }

  private static String digest(Path file) throws IOException {
    MessageDigest hash = sha256();
    var buffer = new byte[1 << 20];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        hash.update(buffer, 0, n);
      }
    }
    return name(hash.digest());
  }

  private static String name(byte[] hash) {
    return "sha256:" + HexFormat.of().formatHex(hash);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** This machine's, as Go names it. */
  static String architecture() {
    return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
  }
}
