package io.jcontainerd.diff;

import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.process.SystemTool;
import io.jcontainerd.oci.tar.TarEntry;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Images of the EROFS file system, made by {@code mkfs.erofs} of what a layer holds, as an overlay
 * keeps it: so they hide what the layer deletes.
 *
 * <p>An image has the times of the layer and nothing of when and where it was made: what the layer
 * tells no time of, such as a folder that is only implied, has that of the youngest entry, as the
 * image itself. A layer is unpacked into a folder of its own, which is gone with the answer,
 * whatever it is. Safe for many threads.
 */
public final class ErofsLayerImages implements LayerImages {
  private static final String PROGRAM = "mkfs.erofs";
  private static final String TYPE = "application/vnd.erofs.layer.v1";
  private static final Duration DEADLINE = Duration.ofMinutes(30);

  /** So many bytes are worth a look at what room there is. */
  private static final long WORTH = 8 << 20;

  /** What a file takes besides its bytes. */
  private static final long OF_A_FILE = 4096;

  private final LayerApplier applier;
  private final Files files;
  private final Processes processes;
  private final Path folder;
  private final List<String> options;

  /**
   * @param applier unpacks layers
   * @param folder for the time of one image
   * @param options of {@code mkfs.erofs}
   */
  public ErofsLayerImages(
      LayerApplier applier, Files files, Processes processes, Path folder, List<String> options) {
    this.applier = applier;
    this.files = files;
    this.processes = processes;
    this.folder = folder;
    this.options = List.copyOf(options);
  }

  @Override
  public String mediaType() {
    return TYPE;
  }

  @Override
  public Descriptor write(Descriptor layer, boolean isAbove, LongConsumer room, OutputStream image)
      throws IOException {
    SystemTool mkfs =
        SystemTool.find(PROGRAM, processes, DEADLINE)
            .orElseThrow(
                () -> new FailedPreconditionException("program " + PROGRAM + " is not installed"));
    Path work = folder.resolve(UUID.randomUUID().toString());
    Path made = work.resolve("image");
    Descriptor plain;
    try {
      files.createDirectories(work, 0700);
      try {
        plain = make(layer, isAbove, room, mkfs, work, made);
      } catch (IOException e) {
        throw LayerApplier.failure("layer " + layer.digest(), e);
      }
      copy(made, image);
      return plain;
    } finally {
      CleanUp.run(() -> delete(work));
    }
  }

  private Descriptor make(
      Descriptor layer, boolean isAbove, LongConsumer room, SystemTool mkfs, Path work, Path image)
      throws IOException {
    Applier.Options alone = new Applier.Options(Map.of(), false);
    Needs needs = new Needs(room);
    room.accept(0);
    Path tree = work.resolve("tree");
    files.createDirectories(tree, 0755);
    AtomicLong youngest = new AtomicLong();
    long begun = System.currentTimeMillis() / 1000;
    Descriptor plain =
        applier
            .telling(
                entry -> {
                  long time = entry.modified().getEpochSecond();
                  youngest.accumulateAndGet(time < begun ? time : 0, Math::max);
                  needs.add(entry);
                })
            .apply(
                layer,
                List.of(new Mount("overlay", "overlay", List.of("upperdir=" + tree))),
                isAbove ? alone.standalone() : alone);
    room.accept(options.stream().anyMatch(option -> option.startsWith("-z")) ? 0 : needs.files);
    List<String> arguments = new ArrayList<>(List.of("--quiet", "-Enoinline_data"));
    arguments.add("-U" + name(plain.digest()));
    arguments.addAll(options);
    arguments.add(image.toString());
    arguments.add(tree.toString());
    Processes.Finished end;
    try {
      end = mkfs.finish(work, arguments, Map.of("SOURCE_DATE_EPOCH", youngest.toString()));
    } catch (InterruptedIOException e) {
      throw new CancelledException("layer " + layer.digest(), e);
    }
    if (end.status() != 0) {
      String words = new String(end.error(), StandardCharsets.UTF_8).strip();
      String text =
          "layer %s: %s ended with %d: %s".formatted(layer.digest(), PROGRAM, end.status(), words);
      throw words.contains("No space left")
          ? new ResourceExhaustedException(text + ": " + NoSpaceException.REMEDY)
          : new UnavailableException(text);
    }
    return plain;
  }

  /** What the files of a layer take, told a few megabytes ahead. For one thread. */
  private static final class Needs {
    private final LongConsumer room;
    private long files;
    private long untold;

    Needs(LongConsumer room) {
      this.room = room;
    }

    void add(TarEntry entry) {
      files += entry.size();
      untold += OF_A_FILE + stored(entry);
      if (untold >= WORTH) {
        room.accept(untold);
        untold = 0;
      }
    }

    private static long stored(TarEntry entry) {
      return entry
          .segments()
          .map(parts -> parts.stream().mapToLong(TarEntry.Segment::length).sum())
          .orElse(entry.size());
    }
  }

  /** The file system's name, of the layer's. */
  private static UUID name(Digest digest) {
    return UUID.nameUUIDFromBytes(digest.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void copy(Path from, OutputStream to) throws IOException {
    byte[] bytes = new byte[128 << 10];
    try (Files.Handle handle = files.open(from, Files.Open.READ, 0)) {
      long position = 0;
      int count = handle.read(ByteBuffer.wrap(bytes), position);
      while (count > 0) {
        to.write(bytes, 0, count);
        position += count;
        count = handle.read(ByteBuffer.wrap(bytes), position);
      }
    }
  }

  private void delete(Path work) {
    try {
      files.deleteTree(work);
    } catch (IOException e) {
      throw new UnavailableException(work + " cannot be removed: " + e.getMessage(), e);
    }
  }
}
