package io.jcontainerd.e2e;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * A large image of content that can hardly be packed: layers of several sizes and packings, the
 * later ones replace and remove something of those before. What it unpacks to is kept beside.
 */
final class NoiseImage {
  private record Layer(String type, String digest, String diffId, long size) {}

  /** Blobs that are no layers. */
  static final int DOCUMENTS = 2;

  private final Path folder;
  private final Path expected;
  private final List<Layer> layers = new ArrayList<>();
  private final List<String> digests = new ArrayList<>();
  private final Random random;
  private long size;

  /**
   * @param folder for what it is made of
   * @param seed of its content
   */
  NoiseImage(Path folder, long seed) {
    this.folder = folder;
    this.expected = folder.resolve("expected");
    this.random = new Random(seed);
  }

  /** What the image unpacks to. */
  Path expected() {
    return expected;
  }

  /** Bytes of all blobs, the manifest included. */
  long size() {
    return size;
  }

  /** The digests of all blobs, the manifest included. */
  List<String> digests() {
    return List.copyOf(digests);
  }

  /**
   * Makes it and pushes it.
   *
   * @param megabytes of each layer, roughly, as it is packed
   */
  void push(Registry registry, String repository, String tag, int... megabytes) {
    List<List<String>> packers =
        List.of(
            List.of("tar+gzip", "pigz -1 -n -c"),
            List.of("tar+zstd", "zstd -q -1 -c"),
            List.of("tar", "cat"));
    try {
      Files.createDirectories(expected);
      for (int i = 0; i < megabytes.length; i++) {
        List<String> packer = packers.get(i % packers.size());
        layers.add(layer(registry, repository, i, megabytes[i], packer.get(0), packer.get(1)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    finish(registry, repository, tag);
  }

  private Layer layer(
      Registry registry, String repository, int number, int megabytes, String suffix, String packer)
      throws IOException {
    Path tree = Files.createDirectories(folder.resolve("layer"));
    Path own = Files.createDirectories(tree.resolve("own-" + number));
    int left = megabytes << 20;
    for (int i = 0; left > 0; i++) {
      int length = Math.min(left, i == 0 ? left / 2 : 1 + random.nextInt(4 << 20));
      noise(own.resolve("file-" + i), Math.max(1, length));
      left -= Math.max(1, length);
    }
    Files.writeString(own.resolve("gone"), "removed by the next layer\n");
    Files.writeString(tree.resolve("last"), number + "\n");
    if (number > 0) {
      Path before = Files.createDirectories(tree.resolve("own-" + (number - 1)));
      Files.writeString(before.resolve(".wh.gone"), "");
      Files.delete(expected.resolve("own-" + (number - 1) + "/gone"));
    }
    Path tar = folder.resolve("layer.tar");
    Path packed = folder.resolve("layer.packed");
    shell("tar --numeric-owner --sort=name -C %s -cf %s .", tree, tar);
    shell(packer + " %s > %s", tar, packed);
    String digest = digest(packed);
    registry.blob(repository, digest, packed);
    Layer layer =
        new Layer(
            "application/vnd.oci.image.layer.v1." + suffix,
            digest,
            digest(tar),
            Files.size(packed));
    if (number > 0) {
      Files.delete(tree.resolve("own-" + (number - 1) + "/.wh.gone"));
    }
    shell(
        "cp -al --remove-destination %s/. %s && rm -r %s %s %s", tree, expected, tree, tar, packed);
    size += layer.size();
    digests.add(digest);
    return layer;
  }

  private static void shell(String format, Object... words) {
    Command.run("sh", "-c", format.formatted(words)).ok();
  }

  /** Nearly all of it is random. */
  private void noise(Path file, int length) throws IOException {
    byte[] block = new byte[64 << 10];
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      for (int left = length; left > 0; left -= block.length) {
        for (int i = 0; i < block.length - 1024; i += Long.BYTES) {
          long value = random.nextLong();
          for (int j = 0; j < Long.BYTES; j++) {
            block[i + j] = (byte) (value >>> (8 * j));
          }
        }
        out.write(block, 0, Math.min(left, block.length));
      }
    }
  }

  private static String digest(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 20];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        hash.update(buffer, 0, count);
      }
      return "sha256:" + HexFormat.of().formatHex(hash.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private void finish(Registry registry, String repository, String tag) {
    byte[] config =
        """
        {"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}"""
            .formatted(
                TestImage.architecture(),
                layers.stream().map(l -> "\"" + l.diffId() + "\"").collect(joining(",")))
            .getBytes(StandardCharsets.UTF_8);
    byte[] manifest =
        """
        {"schemaVersion":2,"mediaType":"%s","config":{"mediaType":\
        "application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[%s]}"""
            .formatted(
                TestImage.MANIFEST,
                TestImage.digest(config),
                config.length,
                layers.stream()
                    .map(
                        l ->
                            "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
                                .formatted(l.type(), l.digest(), l.size()))
                    .collect(joining(",")))
            .getBytes(StandardCharsets.UTF_8);
    registry.blob(repository, TestImage.digest(config), config);
    registry.manifest(repository, tag, TestImage.MANIFEST, manifest);
    for (byte[] document : List.of(config, manifest)) {
      size += document.length;
      digests.add(TestImage.digest(document));
    }
  }

  /** What a daemon stored is what the image is, all of it, and nothing else is left. */
  void assertStored(Scene scene, Ctr ctr, String name) {
    Path tree = folder.resolve("mounted");
    try {
      Files.createDirectories(tree);
      ctr.ok("images", "mount", name, tree.toString());
      try {
        Command.run("diff", "-rq", "--no-dereference", expected.toString(), tree.toString()).ok();
      } finally {
        ctr.ok("images", "unmount", "--rm", tree.toString());
      }
      for (String digest : digests) {
        assertThat(digest(scene.daemon.blob(digest))).isEqualTo(digest);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertThat(ctr.ok("content", "active").lines()).as("ingests, below their title").hasSize(1);
    Await.until( // what killed pulls were about to unpack is garbage
        "snapshots of layers only",
        Duration.ofSeconds(90),
        () -> ctr.ok("snapshots", "ls").lines().size() == layers.size() + 1);
    assertThat(ctr.ok("snapshots", "ls").lines().stream().skip(1))
        .as("snapshots")
        .allMatch(snapshot -> snapshot.endsWith("Committed"));
    String socket = scene.daemon.socket().toString();
    String jctr = Daemon.launcher("jctr").toString();
    Command fsck = Command.run(jctr, "--address", socket, "fsck", "--deep").ok();
    System.out.println(fsck.text());
  }
}
