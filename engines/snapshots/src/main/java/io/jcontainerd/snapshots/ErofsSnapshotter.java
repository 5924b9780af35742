package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Snapshots as files that hold an EROFS each, which the kernel mounts as layers below an overlay:
 * {@code erofs}. Its mounts are for a mount manager.
 */
public final class ErofsSnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "erofs";

  private static final String PROGRAM = "mkfs.erofs";
  private static final Duration DEADLINE = Duration.ofMinutes(30);
  private static final Path FILE_SYSTEMS = Path.of("/proc/filesystems");
  private static final int MOST = 1 << 16;

  /**
   * How it behaves.
   *
   * @param overlayOptions added to every overlay mount
   * @param verity whether the kernel checks every block that is read of a layer
   * @param immutable whether nobody may change or remove a layer but this snapshotter
   * @param writableSize bytes of a file system of its own for what an active snapshot writes; 0 for
   *     a folder
   * @param deviceVerity {@code auto}, {@code on} or {@code off}: whether layers are mounted through
   *     dm-verity where they have been prepared for it
   * @param mkfsOptions for making images
   * @param idMapped whether layers can be shown under other owners
   */
  public record Options(
      List<String> overlayOptions,
      boolean verity,
      boolean immutable,
      long writableSize,
      String deviceVerity,
      List<String> mkfsOptions,
      boolean idMapped) {
    /** What holds unless told otherwise. */
    public static final Options DEFAULTS =
        new Options(List.of(), false, false, 0, "auto", List.of(), false);

    /** Refuses nonsense. */
    public Options {
      overlayOptions = List.copyOf(overlayOptions);
      mkfsOptions = List.copyOf(mkfsOptions);
      deviceVerity = deviceVerity.isEmpty() ? "auto" : deviceVerity;
      if (!List.of("auto", "on", "off").contains(deviceVerity)) {
        throw new InvalidArgumentException(
            "dmverity_mode must be auto, on or off, not \"" + deviceVerity + "\"");
      }
      if (writableSize < 0) {
        throw new InvalidArgumentException("default_size must not be negative");
      }
    }
  }

  private ErofsSnapshotter() {}

  /**
   * Why it cannot work here; empty if it can.
   *
   * @throws ContainerdException if nobody can tell
   */
  public static Optional<String> reasonAgainst(Environment environment, Processes processes) {
    try (Files.Handle table = environment.files().open(FILE_SYSTEMS, Files.Open.READ, 0)) {
      // Files of proc have no size, so this one is read to its end rather than by size.
      ByteBuffer bytes = ByteBuffer.allocate(MOST);
      while (bytes.hasRemaining() && table.read(bytes, bytes.position()) > 0) {}
      String known = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
      if (!known.contains("\terofs\n")) {
        return Optional.of("EROFS unsupported, please `modprobe erofs`");
      }
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter erofs: look at " + FILE_SYSTEMS, e);
    }
    return SystemTool.find(PROGRAM, processes, DEADLINE).isPresent()
        ? Optional.empty()
        : Optional.of("program " + PROGRAM + " is not installed");
  }

  /**
   * Opens the snapshotter below a folder, which is made if need be.
   *
   * @throws ContainerdException if the folder cannot be used or an option cannot be met
   */
  public static Snapshotter open(
      Path root, Environment environment, Processes processes, Options options) {
    if (options.deviceVerity().equals("on")) {
      throw new FailedPreconditionException(
          "snapshotter erofs: dmverity_mode is on, but this daemon mounts nothing through dm-verity");
    }
    SystemTool mkfs =
        SystemTool.find(PROGRAM, processes, DEADLINE)
            .orElseThrow(
                () ->
                    new FailedPreconditionException(
                        "snapshotter erofs: program " + PROGRAM + " is not installed"));
    var images = new ErofsImages(environment.files(), environment.kernel(), mkfs, options);
    if (options.verity()) {
      requireVerity(root, environment, images);
    }
    var shelf = new ErofsShelf(root.resolve("snapshots"), environment, images);
    return DirectorySnapshotter.open(
        NAME, root, environment, new ErofsLayout(environment, images, options), shelf, true);
  }

  private static void requireVerity(Path root, Environment environment, ErofsImages images) {
    Path probe = root.resolve("probe-verity");
    Files files = environment.files();
    try {
      files.createDirectories(root, 0700);
      files.writeAll(probe, new byte[] {1}, 0600);
      try {
        images.protect(probe);
      } finally {
        files.delete(probe);
      }
    } catch (IOException e) {
      throw DirectorySnapshotter.failure(
          "snapshotter erofs: enable_fsverity is set, but files of " + root + " cannot have it", e);
    }
  }
}
