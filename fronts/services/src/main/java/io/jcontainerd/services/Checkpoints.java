package io.jcontainerd.services;

import io.jcontainerd.api.types.runc.options.CheckpointOptions;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The way between a checkpoint's folder, which shims read and write, and content, which clients do.
 *
 * <p>The folder lives below the daemon's folder for temporary files and is gone when the call ends,
 * removed here or taken over by the task that is made of it. Its content is a plain tar under
 * containerd's media type for CRIU images, beside it the container's spec as a packed value. With
 * the option {@code image_path} the client names a folder of its own and gets no content.
 */
final class Checkpoints {
  static final String CRIU_TAR = "application/vnd.containerd.container.criu.checkpoint.criu.tar";
  static final String CONFIG = "application/vnd.containerd.container.checkpoint.config.v1+proto";
  private static final String OCI_TAR = "application/vnd.oci.image.layer.v1.tar";

  /** Something done while the folder is there. */
  @FunctionalInterface
  interface InFolder<T> {
    T run(String folder) throws InterruptedException;
  }

  private final ContentStore content;
  private final List<Applier> appliers;
  private final List<Comparer> comparers;
  private final Path temp;

  Checkpoints(ContentStore content, List<Applier> appliers, List<Comparer> comparers, Path temp) {
    this.content = content;
    this.appliers = List.copyOf(appliers);
    this.comparers = List.copyOf(comparers);
    this.temp = temp;
  }

  /** Runs the body with a folder that holds the checkpoint. */
  <T> T restoring(Descriptor checkpoint, InFolder<T> body) throws InterruptedException {
    if (!checkpoint.mediaType().equals(CRIU_TAR)) {
      throw new InvalidArgumentException(
          "unsupported checkpoint type \"" + checkpoint.mediaType() + "\"");
    }
    if (appliers.isEmpty()) {
      throw new UnavailableException("checkpoint " + checkpoint.digest() + ": no differ");
    }
    return inFolder(
        folder -> {
          appliers
              .getFirst()
              .apply(
                  new Descriptor(OCI_TAR, checkpoint.digest(), checkpoint.size()),
                  List.of(bind(folder)),
                  new Applier.Options(Map.of(), false));
          return body.run(folder);
        });
  }

  /** Takes a checkpoint; the descriptors of what was written, none with an image path. */
  List<Descriptor> take(Container container, Optional<TypedValue> options, TaskRuntime runtime)
      throws InterruptedException {
    String imagePath = options.map(Checkpoints::imagePath).orElse("");
    if (!imagePath.isEmpty()) {
      runtime.checkpoint(container.id(), imagePath, options);
      return List.of();
    }
    if (comparers.isEmpty()) {
      throw new UnavailableException("checkpoint of " + container.id() + ": no differ");
    }
    return inFolder(
        folder -> {
          runtime.checkpoint(container.id(), folder, options);
          Descriptor tar =
              comparers
                  .getFirst()
                  .compare(
                      List.of(),
                      List.of(bind(folder)),
                      new Comparer.Options(OCI_TAR, "", Map.of(), Optional.empty()));
          Descriptor image = new Descriptor(CRIU_TAR, tar.digest(), tar.size());
          return container.spec().map(spec -> List.of(image, write(spec))).orElse(List.of(image));
        });
  }

  private Descriptor write(TypedValue spec) {
    byte[] bytes = TypedValues.toApi(spec).toByteArray();
    Descriptor descriptor = new Descriptor(CONFIG, Digest.sha256(bytes), bytes.length);
    try (Ingest ingest =
        content.ingest(
            new IngestRequest(
                "checkpoint-" + UUID.randomUUID(),
                bytes.length,
                Optional.of(descriptor.digest())))) {
      ingest.write(ByteBuffer.wrap(bytes));
      ingest.commit(bytes.length, Optional.of(descriptor.digest()), Map.of());
    } catch (AlreadyExistsException _) {
      return descriptor; // the same spec was written before
    }
    return descriptor;
  }

  private static String imagePath(TypedValue options) {
    String name = CheckpointOptions.getDescriptor().getFullName();
    return options.typeName().equals(name)
        ? TypedValues.unpack(options, name, CheckpointOptions.parser()).getImagePath()
        : "";
  }

  private static Mount bind(String folder) {
    return new Mount("bind", folder, List.of("rbind", "rw"));
  }

  private <T> T inFolder(InFolder<T> body) throws InterruptedException {
    Path folder;
    try {
      folder = Files.createTempDirectory(Files.createDirectories(temp), "checkpoint-");
    } catch (IOException e) {
      throw new UnavailableException("folder for a checkpoint below " + temp, e);
    }
    try (AutoCloseableFolder _ = () -> remove(folder)) {
      return body.run(folder.toString());
    }
  }

  private static void remove(Path folder) {
    if (!Files.exists(folder)) {
      return; // a task has taken it
    }
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.delete(dir);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UnavailableException("folder " + folder + " cannot be removed", e);
    }
  }

  private interface AutoCloseableFolder extends AutoCloseable {
    @Override
    void close();
  }
}
