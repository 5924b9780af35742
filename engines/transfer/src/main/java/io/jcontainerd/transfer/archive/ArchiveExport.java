package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Writes images as one archive: an image layout in tar form, with Docker's {@code manifest.json}
 * beside its index unless it is left out. Equal images make equal bytes: entries are in order of
 * name, without times and owners.
 *
 * <p>What will be written is known, and seen to be there, before the first byte is. Safe for many
 * threads.
 */
public final class ArchiveExport {
  private static final int BUFFER = 256 << 10;
  private static final int FILE = 0444;
  private static final int FOLDER = 0755;

  private final ContentStore content;

  /** From this store. */
  public ArchiveExport(ContentStore content) {
    this.content = content;
  }

  /**
   * Writes an archive of images.
   *
   * @param images which, at least one
   * @param archive flushed, not closed
   * @throws io.jcontainerd.core.failure.NotFoundException if parts of them are not here, or none is
   *     for the platforms
   */
  public void run(
      List<Image> images, OutputStream archive, ExportRequest request, TransferListener listener) {
    if (images.isEmpty()) {
      throw new InvalidArgumentException("export: no image is named");
    }
    listener.progress(new TransferProgress("Exporting"));
    var parts =
        new ExportedParts(
            content,
            request.platforms().isEmpty() ? List.of(Platforms.host()) : request.platforms(),
            request.allPlatforms(),
            request.skipNonDistributable());
    var docker = new LinkedHashMap<Digest, DockerImage>();
    List<Index.Entry> entries = new ArrayList<>();
    for (Image image : images) {
      Optional<ExportedParts.Main> main = parts.add(image.target());
      entries.add(entry(image));
      main.ifPresent(
          found ->
              docker
                  .computeIfAbsent(found.at().digest(), _ -> new DockerImage(found))
                  .add(image.name()));
    }
    Map<String, byte[]> documents = new HashMap<>();
    documents.put(ArchiveFiles.INDEX, new Index(entries).toBytes());
    documents.put(
        ArchiveFiles.LAYOUT, JsonObject.EMPTY.with("imageLayoutVersion", "1.0.0").toBytes());
    if (!request.skipCompatibilityManifest() && !docker.isEmpty()) {
      documents.put(
          ArchiveFiles.DOCKER, JsonArray.of(docker.values(), DockerImage::json).toBytes());
    }
    try {
      write(parts.all(), documents, archive);
    } catch (InterruptedIOException e) {
      throw new CancelledException("export of an image archive", e);
    } catch (IOException e) {
      throw e.getCause() instanceof ContainerdException known
          ? known
          : new UnavailableException("image archive: " + e.getMessage(), e);
    }
    listener.progress(new TransferProgress("Completed export"));
  }

  private static Index.Entry entry(Image image) {
    Descriptor target = image.target();
    Map<String, String> annotations = new HashMap<>(target.annotations());
    annotations.put(ImportNames.IMAGE_NAME, image.name());
    reference(image.name())
        .ifPresent(
            name ->
                annotations.put(
                    ImportNames.REF_NAME,
                    name.tag().orElseGet(() -> name.digest().map(Digest::toString).orElse(""))));
    return new Index.Entry(
        new Descriptor(target.mediaType(), target.digest(), target.size(), annotations),
        Optional.<Platform>empty());
  }

  /** Names in the image store can be anything. */
  private static Optional<Reference> reference(String name) {
    try {
      return Optional.of(Reference.parse(name).withDefaultTag());
    } catch (InvalidArgumentException _) {
      return Optional.empty();
    }
  }

  /** One image as Docker knows it. */
  private static final class DockerImage {
    private final ExportedParts.Main image;
    private final List<String> names = new ArrayList<>();

    DockerImage(ExportedParts.Main image) {
      this.image = image;
    }

    void add(String name) {
      reference(name)
          .filter(reference -> reference.digest().isEmpty())
          .map(Reference::familiar)
          .filter(familiar -> !names.contains(familiar))
          .ifPresent(names::add);
    }

    JsonObject json() {
      return JsonObject.EMPTY
          .with("Config", path(image.manifest().config().digest()))
          .with("RepoTags", JsonArray.ofStrings(names))
          .with(
              "Layers",
              JsonArray.ofStrings(
                  image.manifest().layers().stream().map(l -> path(l.digest())).toList()));
    }
  }

  private static String path(Digest digest) {
    return "blobs/" + digest.algorithm() + "/" + digest.hex();
  }

  private void write(Map<Digest, Long> blobs, Map<String, byte[]> documents, OutputStream archive)
      throws IOException {
    Map<String, Digest> byPath = new TreeMap<>();
    blobs.keySet().forEach(digest -> byPath.put(path(digest), digest));
    try (TarWriter tar = new TarWriter(archive)) {
      if (!byPath.isEmpty()) {
        tar.entry(entry("blobs/", TarEntry.Type.DIRECTORY, FOLDER, 0));
      }
      String algorithm = "";
      for (Map.Entry<String, Digest> blob : byPath.entrySet()) {
        Digest digest = blob.getValue();
        if (!digest.algorithm().equals(algorithm)) {
          algorithm = digest.algorithm();
          tar.entry(entry("blobs/" + algorithm + "/", TarEntry.Type.DIRECTORY, FOLDER, 0));
        }
        long size = blobs.getOrDefault(digest, 0L);
        tar.entry(entry(blob.getKey(), TarEntry.Type.REGULAR, FILE, size));
        body(tar, digest, size);
      }
      for (Map.Entry<String, byte[]> document : new TreeMap<>(documents).entrySet()) {
        byte[] bytes = document.getValue();
        tar.entry(entry(document.getKey(), TarEntry.Type.REGULAR, FILE, bytes.length));
        tar.body(bytes, 0, bytes.length);
      }
    }
    archive.flush();
  }

  private static TarEntry entry(String name, TarEntry.Type type, int mode, long size) {
    return new TarEntry(
        type,
        RawPath.of(name),
        RawPath.EMPTY,
        mode,
        0,
        0,
        size,
        Instant.EPOCH,
        Optional.empty(),
        0,
        0,
        Map.of(),
        Optional.empty());
  }

  private void body(TarWriter tar, Digest digest, long size) throws IOException {
    byte[] buffer = new byte[(int) Math.min(BUFFER, Math.max(1, size))];
    try (ContentReader reader = content.reader(digest)) {
      for (long done = 0; done < size; ) {
        var piece = ByteBuffer.wrap(buffer, 0, (int) Math.min(buffer.length, size - done));
        int count = reader.read(piece, done);
        if (count < 0) {
          throw new DataLossException(
              "content %s ends after %d of %d bytes".formatted(digest, done, size));
        }
        tar.body(buffer, 0, count);
        done += count;
      }
    }
  }
}
