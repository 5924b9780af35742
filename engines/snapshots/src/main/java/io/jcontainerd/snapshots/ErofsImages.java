package io.jcontainerd.snapshots;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.FileFlags;
import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The folder of a snapshot of the erofs snapshotter, and the image in it. Safe for many threads.
 */
record ErofsImages(Files files, Kernel kernel, SystemTool mkfs, ErofsSnapshotter.Options options) {
  private static final int IMAGE_MODE = 0644;
  private static final String BESIDE = ".layer.erofs.new";

  static Path image(Path folder) {
    return folder.resolve("layer.erofs");
  }

  static Path upper(Path folder) {
    return folder.resolve("fs");
  }

  static Path work(Path folder) {
    return folder.resolve("work");
  }

  static Path writable(Path folder) {
    return folder.resolve("rwlayer.img");
  }

  /** A differ that writes images looks for it. */
  static Path marker(Path folder) {
    return folder.resolve(".erofslayer");
  }

  /** Layers below, seen as one. */
  static Path merged(Path folder) {
    return folder.resolve("fsmeta.erofs");
  }

  static Path deviceVerity(Path folder) {
    return folder.resolve("layer.erofs.dmverity");
  }

  boolean hasImage(Path folder) throws IOException {
    return files.stat(image(folder)).isPresent();
  }

  /** Whether the snapshot's files are, at least in part, not in the image. */
  boolean hasFiles(Path folder) throws IOException {
    Path upper = upper(folder);
    return files.stat(writable(folder)).isPresent()
        || (files.stat(upper).isPresent() && !files.list(upper).isEmpty());
  }

  /** Makes the image of what is in the folder, unless a differ has made it and nothing else is. */
  void make(Path folder) throws IOException {
    if (hasImage(folder) && !hasFiles(folder)) {
      finish(folder);
      return;
    }
    deleteImage(folder);
    Path beside = folder.resolve(BESIDE);
    if (files.stat(beside).isPresent()) {
      files.delete(beside);
    }
    if (files.stat(writable(folder)).isPresent()) {
      ofWritable(folder, beside);
    } else {
      convert(folder, upper(folder), beside);
    }
    try (Files.Handle image = files.open(beside, Files.Open.WRITE, 0)) {
      image.force();
    }
    files.setMode(beside, IMAGE_MODE);
    files.rename(beside, image(folder));
    finish(folder);
  }

  private void convert(Path folder, Path tree, Path to) throws IOException {
    var arguments = new ArrayList<>(List.of("--quiet", "-Enoinline_data"));
    arguments.addAll(options.mkfsOptions());
    arguments.add(to.toString());
    arguments.add(tree.toString());
    String _ = mkfs.run(folder, arguments);
  }

  /** What was written to a file system of its own; it may never have been mounted. */
  private void ofWritable(Path folder, Path to) throws IOException {
    Path upper = upper(folder);
    kernel.mount(
        List.of(new Mount("ext4", writable(folder).toString(), List.of("ro", "loop", "noload"))),
        upper);
    Optional<FileStat> top;
    try {
      Path inner = upper.resolve("upper");
      top = files.stat(inner).filter(FileStat::isDirectory);
      if (top.isPresent()) {
        convert(folder, inner, to);
      }
    } finally {
      kernel.unmountAll(upper);
    }
    if (top.isPresent()) {
      // children look here for the owner and mode of the top
      files.setOwner(upper, top.get().uid(), top.get().gid());
      files.setMode(upper, top.get().mode());
    } else {
      convert(folder, upper, to);
    }
  }

  private void finish(Path folder) throws IOException {
    if (options.verity()) {
      protect(image(folder));
    }
    if (options.immutable()) {
      FileFlags.setImmutable(image(folder), true);
    }
  }

  /** Lets the kernel check every block that is read of the file. */
  void protect(Path file) throws IOException {
    if (!FileFlags.hasVerity(file)) {
      FileFlags.enableVerity(file);
    }
  }

  void requireVerity(Path folder) throws IOException {
    if (options.verity() && !FileFlags.hasVerity(image(folder))) {
      throw new FileSystemException(
          image(folder).toString(), null, "fs-verity is not enabled on this layer");
    }
  }

  void deleteImage(Path folder) throws IOException {
    Optional<FileStat> image = files.stat(image(folder));
    if (image.isPresent()) {
      if (image.get().type() == FileStat.Type.REGULAR && FileFlags.isImmutable(image(folder))) {
        FileFlags.setImmutable(image(folder), false);
      }
      files.delete(image(folder));
    }
  }

  /** Deletes what the image has. */
  void deleteFiles(Path folder) throws IOException {
    Path upper = upper(folder);
    var failures = new Failures();
    for (String name : files.list(upper)) {
      Path inner = upper.resolve(name);
      failures.collect(
          () -> {
            if (files.stat(inner).map(FileStat::isDirectory).orElse(false)) {
              files.deleteTree(inner);
            } else {
              files.delete(inner);
            }
          });
    }
    if (files.stat(writable(folder)).isPresent()) {
      failures.collect(() -> files.delete(writable(folder)));
    }
    failures.throwFirst();
  }
}
