package io.jcontainerd.e2e;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Images made from the distribution's static busybox, pushed to a registry. */
final class TestImage {
  static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String INDEX = "application/vnd.oci.image.index.v1+json";

  /** How layers are packed. */
  enum Packing {
    GZIP("tar+gzip", "gzip -n -c"),
    ZSTD("tar+zstd", "zstd -q -c"),
    PLAIN("tar", "cat"),
    ENCRYPTED(
        "tar+gzip+encrypted",
        "sh -c 'gzip -n -c \"$0\" | openssl enc -aes-256-cbc -pbkdf2 -pass pass:secret'");

    private final String suffix;
    private final String command;

    Packing(String suffix, String command) {
      this.suffix = suffix;
      this.command = command;
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Layer(String digest, String diffId, byte[] bytes) {}

  private record Pushed(String digest, int size) {}

  private final Path folder;

  TestImage(Path folder) {
    this.folder = folder;
  }

  /** A tree with busybox in it, for containers whose root is a plain folder. */
  static Path tree(Path folder) {
    Path bin = folder.resolve("bin");
    try {
      Files.createDirectories(bin);
      for (String name :
          List.of("proc", "sys", "dev", "etc", "tmp", "root", "data", "home/user", "run", "host")) {
        Files.createDirectories(folder.resolve(name));
      }
      Files.copy(Path.of("/usr/bin/busybox").toRealPath(), bin.resolve("busybox"));
      for (String applet : Command.run("/usr/bin/busybox", "--list").ok().lines()) {
        if (!applet.equals("busybox")) {
          Files.createSymbolicLink(bin.resolve(applet), Path.of("busybox"));
        }
      }
      Files.writeString(
          folder.resolve("etc/passwd"),
          "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
      Files.writeString(
          folder.resolve("etc/group"), "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n");
      Files.writeString(folder.resolve("etc/removed"), "in the first layer only\n");
      Files.writeString(folder.resolve("etc/version"), "1\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return folder;
  }

  /**
   * Pushes a single-platform image under {@code repository:tag} and returns the manifest's digest.
   */
  String push(Registry registry, String repository, String tag, Packing packing) {
    return manifest(registry, repository, tag, packing, architecture()).digest();
  }

  /**
   * Digests of an image for two platforms.
   *
   * @param own of the manifest for this machine
   * @param other of the manifest for another
   */
  record Platforms(String index, String own, String other) {}

  /** Pushes an index of two platforms, of which this machine's is one. */
  Platforms pushIndex(Registry registry, String repository, String tag) {
    Pushed own = manifest(registry, repository, tag + "-own", Packing.GZIP, architecture());
    Pushed other = manifest(registry, repository, tag + "-other", Packing.ZSTD, "s390x");
    byte[] index =
        """
        {"schemaVersion":2,"mediaType":"%s","manifests":[
        {"mediaType":"%s","digest":"%s","size":%d,"platform":{"architecture":"s390x","os":"linux"}},
        {"mediaType":"%s","digest":"%s","size":%d,"platform":{"architecture":"%s","os":"linux"}}]}"""
            .formatted(
                INDEX,
                MANIFEST,
                other.digest(),
                other.size(),
                MANIFEST,
                own.digest(),
                own.size(),
                architecture())
            .getBytes(StandardCharsets.UTF_8);
    registry.manifest(repository, tag, INDEX, index);
    return new Platforms(digest(index), own.digest(), other.digest());
  }

  static String architecture() {
    return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
  }

  /**
   * Pushes an image of so many layers: the usual two, and small ones that each add a file below
   * {@code /deep} and replace {@code /deep/last}.
   */
  void pushDeep(Registry registry, String repository, String tag, int count) {
    List<Layer> layers = new ArrayList<>(usual(Packing.PLAIN));
    try {
      Path tree = folder.resolve("deep-tree");
      Path deep = Files.createDirectories(tree.resolve("deep"));
      for (int i = layers.size() + 1; i <= count; i++) {
        Path added = deep.resolve("layer-" + i);
        Files.writeString(added, i + "\n");
        Files.writeString(deep.resolve("last"), i + "\n");
        layers.add(layer(tree, Packing.PLAIN));
        Files.delete(added);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Pushed _ = manifest(registry, repository, tag, Packing.PLAIN, layers, architecture());
  }

  private List<Layer> usual(Packing packing) {
    Path first = folder.resolve("first");
    if (!Files.exists(first)) {
      tree(first);
      second(folder.resolve("second"));
    }
    return List.of(layer(first, packing), layer(folder.resolve("second"), packing));
  }

  private Pushed manifest(
      Registry registry, String repository, String tag, Packing packing, String architecture) {
    return manifest(registry, repository, tag, packing, usual(packing), architecture);
  }

  /** Pushes an image whose second layer is a file that cannot be packed. */
  void pushNoise(Registry registry, String repository, String tag, int bytes) {
    Path first = folder.resolve("first");
    Path noise = folder.resolve("noise");
    try {
      Files.createDirectories(noise);
      byte[] random = new byte[bytes];
      new Random(1).nextBytes(random);
      Files.write(noise.resolve("noise"), random);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Pushed _ =
        manifest(
            registry,
            repository,
            tag,
            Packing.PLAIN,
            List.of(layer(first, Packing.PLAIN), layer(noise, Packing.PLAIN)),
            architecture());
  }

  /** Pushes an image of one layer with one entry, {@code ../evil}. */
  void pushEscaping(Registry registry, String repository, String tag) {
    Path tar = folder.resolve("escaping.tar");
    try {
      Files.writeString(Files.createDirectories(folder.resolve("escaping")).resolve("x"), "x");
      Command.run(
              "tar",
              "-P",
              "-C",
              folder.resolve("escaping").toString(),
              "--transform=s,^x$,../evil,",
              "-cf",
              tar.toString(),
              "x")
          .ok();
      byte[] bytes = Files.readAllBytes(tar);
      Layer layer = new Layer(digest(bytes), digest(bytes), bytes);
      Pushed _ = manifest(registry, repository, tag, Packing.PLAIN, List.of(layer), architecture());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Pushed manifest(
      Registry registry,
      String repository,
      String tag,
      Packing packing,
      List<Layer> layers,
      String architecture) {
    String diffIds =
        layers.stream().map(layer -> "\"" + layer.diffId() + "\"").collect(joining(","));
    byte[] config =
        """
        {"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin","FROM_IMAGE=yes","BOTH=image"],\
        "Cmd":["/bin/sh"],"WorkingDir":"/root"},"rootfs":{"type":"layers","diff_ids":[%s]}}"""
            .formatted(architecture, diffIds)
            .getBytes(StandardCharsets.UTF_8);
    String layerType = "application/vnd.oci.image.layer.v1." + packing.suffix;
    String descriptors =
        layers.stream()
            .map(
                layer ->
                    "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
                        .formatted(layerType, layer.digest(), layer.bytes().length))
            .collect(joining(","));
    byte[] manifest =
        """
        {"schemaVersion":2,"mediaType":"%s","config":{"mediaType":\
        "application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[%s]}"""
            .formatted(MANIFEST, digest(config), config.length, descriptors)
            .getBytes(StandardCharsets.UTF_8);
    registry.blob(repository, digest(config), config);
    for (Layer layer : layers) {
      registry.blob(repository, layer.digest(), layer.bytes());
    }
    registry.manifest(repository, tag, MANIFEST, manifest);
    return new Pushed(digest(manifest), manifest.length);
  }

  /** A layer that changes, removes and adds. */
  private static void second(Path tree) {
    try {
      Files.createDirectories(tree.resolve("etc"));
      Files.writeString(tree.resolve("etc/.wh.removed"), "");
      Files.writeString(tree.resolve("etc/version"), "2\n");
      Files.createDirectories(tree.resolve("data"));
      Files.writeString(tree.resolve("data/.wh..wh..opq"), "");
      Files.writeString(tree.resolve("data/added"), "by the second layer\n");
      Files.createLink(tree.resolve("data/linked"), tree.resolve("data/added"));
      Path setuid = tree.resolve("data/setuid");
      Files.writeString(setuid, "#!/bin/sh\n");
      Command.run("chown", "1000:1000", setuid.toString()).ok();
      Command.run("chmod", "6755", setuid.toString()).ok();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Layer layer(Path tree, Packing packing) {
    Path tar = folder.resolve(tree.getFileName() + ".tar");
    Path packed = folder.resolve(tree.getFileName() + "." + packing);
    Command.run(
            "tar",
            "--numeric-owner",
            "--sort=name",
            "--format=pax",
            "-C",
            tree.toString(),
            "-cf",
            tar.toString(),
            ".")
        .ok();
    Command.run("sh", "-c", packing.command + " " + tar + " > " + packed).ok();
    try {
      byte[] bytes = Files.readAllBytes(packed);
      return new Layer(digest(bytes), digest(Files.readAllBytes(tar)), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String digest(byte[] bytes) {
    try {
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
