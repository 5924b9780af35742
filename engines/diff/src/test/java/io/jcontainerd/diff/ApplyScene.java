package io.jcontainerd.diff;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A content store in memory, an applier over it, and folders to work in. */
final class ApplyScene {
  static final String TAR = "application/vnd.oci.image.layer.v1.tar";
  static final String GZIP = TAR + "+gzip";
  static final String ZSTD = TAR + "+zstd";

  final Path folder;
  final LinuxKernel kernel;
  final Mounter mounter;
  final InMemoryContentStore content = new InMemoryContentStore();
  final LayerApplier applier;

  ApplyScene(Path folder) {
    this(folder, LayerLimits.USUAL);
  }

  ApplyScene(Path folder, LayerLimits limits) {
    this.folder = folder;
    this.kernel = new LinuxKernel(folder.resolve("tmp"));
    this.mounter = new Mounter(kernel, folder.resolve("tmpmounts"));
    this.applier = new LayerApplier(content, mounter, limits, false);
  }

  Path fresh(String name) throws IOException {
    return Files.createDirectories(folder.resolve(name));
  }

  Descriptor blob(byte[] bytes, String mediaType) {
    return new Descriptor(mediaType, content.add(bytes, Map.of()), bytes.length);
  }

  Descriptor apply(byte[] layer, String mediaType, List<Mount> mounts) {
    return applier.apply(blob(layer, mediaType), mounts, new Applier.Options(Map.of(), false));
  }

  Descriptor apply(byte[] layer, Path into) {
    return apply(layer, TAR, bind(into));
  }

  static List<Mount> bind(Path folder) {
    return List.of(new Mount("bind", folder.toString(), List.of("rw", "rbind")));
  }

  static List<Mount> overlay(Path upper, Path work, Path... lowers) {
    String joined = String.join(":", java.util.Arrays.stream(lowers).map(Path::toString).toList());
    return List.of(
        new Mount(
            "overlay",
            "overlay",
            List.of("workdir=" + work, "upperdir=" + upper, "lowerdir=" + joined, "index=off")));
  }

  /** What a shell script that writes an archive to its standard output wrote. */
  static byte[] archive(Path in, String script) throws Exception {
    Process process =
        Shell.builder(script)
            .directory(in.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] bytes;
    try (var output = process.getInputStream()) {
      bytes = output.readAllBytes();
    }
    if (process.waitFor() != 0) {
      throw new AssertionError(script);
    }
    return bytes;
  }

  static Digest digest(byte[] bytes) {
    return Digest.sha256(bytes);
  }
}
