package io.jcontainerd.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.LeaseHandle;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.platform.Platforms;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;

/**
 * An image made from the static busybox: the program with its names, the files of users, some
 * megabytes of noise, and a script that reports what it sees.
 *
 * @param blobs every blob by its descriptor, the manifest last
 * @param target the manifest
 */
record DemoImage(Map<Descriptor, byte[]> blobs, Descriptor target) {
  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");
  private static final int NOISE = 24 << 20;
  private static final List<String> APPLETS =
      List.of(
          "sh",
          "cat",
          "echo",
          "env",
          "grep",
          "hostname",
          "id",
          "ls",
          "mount",
          "ps",
          "sleep",
          "sort",
          "touch",
          "true",
          "awk",
          "nproc",
          "ip",
          "sed");

  private static final String REPORT =
      """
      #!/bin/sh
      say() { echo; echo "== $1"; }
      say 'host name'; hostname
      say 'who'; id
      say 'processes'; ps -o pid,user,args
      say 'uid map (inside, outside, how many)'; cat /proc/self/uid_map
      say 'environment'; env | sort
      say 'capabilities'; grep '^Cap[EB]' /proc/self/status
      say 'mounts'; awk '{ print $2, $3 }' /proc/mounts
      say 'network'; ip -o link | awk '{ print $2, $3 }'
      say 'a file of its own'; touch /written && ls -ln /written
      """;

  /** Builds the image with the system's tar in a folder, which is removed again. */
  static DemoImage make(Path folder) throws IOException, InterruptedException {
    Trees.delete(folder);
    Path base = tree(folder.resolve("1"), "bin");
    Files.copy(BUSYBOX, base.resolve("bin/busybox"));
    for (String applet : APPLETS) {
      Files.createSymbolicLink(base.resolve("bin/" + applet), Path.of("busybox"));
    }
    Path users = tree(folder.resolve("2"), "etc");
    Files.writeString(users.resolve("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
    Files.writeString(users.resolve("etc/group"), "root:x:0:\n");
    Path noise = tree(folder.resolve("3"), "noise");
    byte[] bytes = new byte[NOISE];
    new Random(1).nextBytes(bytes);
    Files.write(noise.resolve("noise/bytes"), bytes);
    Path script = tree(folder.resolve("4"), "demo");
    Files.writeString(script.resolve("demo/report"), REPORT);
    Files.setPosixFilePermissions(
        script.resolve("demo/report"), PosixFilePermissions.fromString("rwxr-xr-x"));
    DemoImage image = pack(List.of(base, users, noise, script));
    Trees.delete(folder);
    return image;
  }

  private static Path tree(Path top, String inner) throws IOException {
    Files.createDirectories(top.resolve(inner));
    return top;
  }

  private static DemoImage pack(List<Path> trees) throws IOException, InterruptedException {
    Map<Descriptor, byte[]> blobs = new LinkedHashMap<>();
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (Path tree : trees) {
      byte[] tar = tar(tree);
      diffIds.add(Digest.sha256(tar));
      ByteArrayOutputStream gz = new ByteArrayOutputStream();
      try (GZIPOutputStream out = new GZIPOutputStream(gz, 64 << 10)) {
        out.write(tar);
      }
      byte[] blob = gz.toByteArray();
      Descriptor layer = Descriptors.of(MediaTypes.LAYER_GZIP, blob);
      blobs.put(layer, blob);
      layers.add(layer);
    }
    byte[] config = config(diffIds).toBytes();
    Descriptor configAt = Descriptors.of(MediaTypes.CONFIG, config);
    blobs.put(configAt, config);
    byte[] manifest = new Manifest(configAt, layers).toBytes();
    Descriptor target = Descriptors.of(MediaTypes.MANIFEST, manifest);
    blobs.put(target, manifest);
    return new DemoImage(blobs, target);
  }

  private static JsonObject config(List<Digest> diffIds) {
    return JsonObject.EMPTY
        .with("architecture", Platforms.host().architecture())
        .with("os", Platforms.host().os())
        .with(
            "config",
            JsonObject.EMPTY
                .with("Env", JsonArray.ofStrings(List.of("PATH=/bin", "FROM_THE_IMAGE=yes")))
                .with("Cmd", JsonArray.ofStrings(List.of("/demo/report"))))
        .with(
            "rootfs",
            JsonObject.EMPTY
                .with("type", "layers")
                .with("diff_ids", JsonArray.of(diffIds, d -> Json.of(d.toString()))));
  }

  private static byte[] tar(Path tree) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                "tar",
                "-C",
                tree.toString(),
                "--owner=0",
                "--group=0",
                "--numeric-owner",
                "--sort=name",
                "--mtime=@1700000000",
                "-cf",
                "-",
                ".")
            .redirectErrorStream(false)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] tar = process.getInputStream().readAllBytes();
    if (!process.waitFor(180, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("tar failed: " + new String(tar, 0, Math.min(200, tar.length), UTF_8));
    }
    return tar;
  }

  /** Bytes of all blobs. */
  long size() {
    return blobs.keySet().stream().mapToLong(Descriptor::size).sum();
  }

  /** Puts blobs and name into the daemon. */
  void store(Containerd client, String name) {
    try (LeaseHandle lease = client.leases().grant(Duration.ofMinutes(10))) {
      lease
          .call()
          .run(
              () -> {
                blobs.forEach((at, bytes) -> write(client, at, bytes));
                client
                    .images()
                    .create(
                        new Image(name, target, Map.of(), Instant.EPOCH, Instant.EPOCH),
                        Optional.empty());
              });
    }
  }

  private void write(Containerd client, Descriptor at, byte[] bytes) {
    Map<String, String> labels = new LinkedHashMap<>();
    if (at.equals(target)) {
      int i = 0;
      for (Descriptor blob : blobs.keySet()) {
        labels.put("containerd.io/gc.ref.content." + i++, blob.digest().toString());
      }
    }
    try (Ingest ingest =
        client
            .content()
            .ingest(
                new IngestRequest("demo-" + at.digest(), at.size(), Optional.of(at.digest())))) {
      ingest.truncate(0);
      ingest.write(ByteBuffer.wrap(bytes));
      ingest.commit(at.size(), Optional.of(at.digest()), labels);
    } catch (AlreadyExistsException _) {
      // two layers may be equal, or an earlier run left it
    }
  }
}
