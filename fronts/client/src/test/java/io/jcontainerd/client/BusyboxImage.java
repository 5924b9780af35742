package io.jcontainerd.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.platform.Platforms;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;

/** An image made of the static busybox, in two layers, with the system's tar. */
record BusyboxImage(Map<Descriptor, byte[]> blobs, Descriptor target) {
  static BusyboxImage make(Path folder, String salt) throws IOException, InterruptedException {
    Path base = folder.resolve("base");
    Files.createDirectories(base.resolve("bin"));
    Files.copy(Path.of("/usr/bin/busybox"), base.resolve("bin/busybox"));
    for (String applet : List.of("sh", "cat", "echo", "sleep", "true", "id", "hostname", "env")) {
      Files.createSymbolicLink(base.resolve("bin/" + applet), Path.of("busybox"));
    }
    Files.writeString(base.resolve("salt"), salt);
    Path top = folder.resolve("top");
    Files.createDirectories(top.resolve("etc"));
    Files.writeString(top.resolve("etc/passwd"), "root:x:0:0:root:/:/bin/sh\nweb:x:33:34::/:\n");
    Files.writeString(top.resolve("etc/group"), "root:x:0:\nweb:x:34:\nextra:x:50:web\n");
    Files.writeString(top.resolve("salt"), salt);
    Map<Descriptor, byte[]> blobs = new LinkedHashMap<>();
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (Path tree : List.of(base, top)) {
      byte[] tar = tar(tree);
      diffIds.add(Digest.sha256(tar));
      ByteArrayOutputStream gz = new ByteArrayOutputStream();
      try (GZIPOutputStream out = new GZIPOutputStream(gz)) {
        out.write(tar);
      }
      Descriptor layer = Descriptors.of(MediaTypes.LAYER_GZIP, gz.toByteArray());
      blobs.put(layer, gz.toByteArray());
      layers.add(layer);
    }
    JsonObject config =
        JsonObject.EMPTY
            .with("architecture", Platforms.host().architecture())
            .with("os", Platforms.host().os())
            .with(
                "config",
                JsonObject.EMPTY
                    .with("Env", JsonArray.ofStrings(List.of("PATH=/bin", "FROM_IMAGE=yes")))
                    .with("Cmd", JsonArray.ofStrings(List.of("sh"))))
            .with(
                "rootfs",
                JsonObject.EMPTY
                    .with("type", "layers")
                    .with("diff_ids", JsonArray.of(diffIds, d -> Json.of(d.toString()))));
    Descriptor configAt = Descriptors.of(MediaTypes.CONFIG, config.toBytes());
    blobs.put(configAt, config.toBytes());
    byte[] manifest = new Manifest(configAt, layers).toBytes();
    Descriptor target = Descriptors.of(MediaTypes.MANIFEST, manifest);
    blobs.put(target, manifest);
    return new BusyboxImage(blobs, target);
  }

  private static byte[] tar(Path tree) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("tar", "-C", tree.toString(), "--owner=0", "--group=0", "-cf", "-", ".")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] tar = process.getInputStream().readAllBytes();
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("tar failed: " + new String(tar, UTF_8));
    }
    return tar;
  }
}
