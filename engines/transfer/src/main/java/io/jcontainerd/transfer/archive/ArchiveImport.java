package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.Platforms;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads archives of images: image layouts, and what {@code docker save} makes of every age. Where
 * an archive is both, the layout counts.
 *
 * <p>In order: all blobs are stored, every image is checked to be whole and its documents are
 * labelled, layers are unpacked, and last come the names. Runs in a call that has a lease, which
 * holds everything meanwhile. Safe for many threads.
 */
public final class ArchiveImport {
  private final ContentStore content;
  private final LeaseStore leases;
  private final Names names;
  private final Unpack unpack;
  private final FreeSpace space;
  private final ArchiveLimits limits;

  /** Unpacks what is in the content store. */
  @FunctionalInterface
  public interface Unpack {
    /**
     * Unpacks an image wherever the selection says.
     *
     * @param name of the image, for those who listen
     */
    void unpack(String name, Descriptor image, ImageSelection where, TransferListener listener);
  }

  /** Writes names. */
  @FunctionalInterface
  public interface Names {
    /** Gives an image a name, which is taken from another image that has it. */
    Image save(String name, Descriptor image, Map<String, String> labels);
  }

  /** Into these stores. */
  public ArchiveImport(
      ContentStore content,
      LeaseStore leases,
      Names names,
      Unpack unpack,
      FreeSpace space,
      ArchiveLimits limits) {
    this.content = content;
    this.leases = leases;
    this.names = names;
    this.unpack = unpack;
    this.space = space;
    this.limits = limits;
  }

  /**
   * Reads an archive to its end.
   *
   * @return the images that were named; none if the archive tells no names that the request wants
   * @throws InvalidArgumentException if it is no archive of images, or one that means harm
   * @throws NotFoundException if parts of its images are not in it, or none is for the platforms
   * @throws ResourceExhaustedException if there is no room for it
   * @throws UnavailableException if its bytes ended to come
   */
  public List<Image> run(InputStream archive, ImportRequest request, TransferListener listener) {
    listener.progress(new TransferProgress("Importing"));
    BlobWriter writer = new BlobWriter(content, leases, space);
    ArchiveFiles files;
    try {
      files = ArchiveFiles.read(archive, writer, request.forceCompress(), limits);
    } catch (IOException e) {
      throw broken(e);
    }
    Blobs blobs = new Blobs(content, writer);
    List<Image> saved = name(index(files, blobs), blobs, request.destination(), listener);
    listener.progress(new TransferProgress("Completed import"));
    return saved;
  }

  private static ContainerdException broken(IOException e) {
    return e instanceof InterruptedIOException
        ? new CancelledException("import of an image archive", e)
        : new UnavailableException("image archive: " + e.getMessage(), e);
  }

  private record StoredIndex(Descriptor at, Index index) {}

  private static StoredIndex index(ArchiveFiles files, Blobs blobs) {
    Optional<byte[]> layout = files.document(ArchiveFiles.INDEX);
    Optional<byte[]> docker = files.document(ArchiveFiles.DOCKER);
    if (layout.isPresent() && (files.isLayout() || docker.isEmpty())) {
      return layout(layout.get(), blobs);
    }
    if (docker.isPresent()) {
      Index index = new DockerArchive(files, blobs).index(docker.get());
      byte[] bytes = index.toBytes();
      return stored(bytes, index, blobs);
    }
    throw new InvalidArgumentException(
        "image archive has neither index.json nor manifest.json: not an image layout, and not made"
            + " by docker save");
  }

  private static StoredIndex layout(byte[] bytes, Blobs blobs) {
    if (ImageDocument.parse(bytes, MediaTypes.INDEX) instanceof Index index) {
      return stored(bytes, index, blobs);
    }
    throw new InvalidArgumentException("image archive: index.json is no index");
  }

  private static StoredIndex stored(byte[] bytes, Index index, Blobs blobs) {
    blobs.store(bytes, GcReferences.of(index));
    return new StoredIndex(Descriptors.of(index.mediaType(), bytes), index);
  }

  private List<Image> name(
      StoredIndex all, Blobs blobs, ImageSelection destination, TransferListener listener) {
    var tree = new ImportedTree(blobs, destination);
    List<Index.Entry> counting =
        all.index().manifests().stream().filter(e -> tree.counts(e.platform())).toList();
    if (counting.isEmpty() && !all.index().manifests().isEmpty()) {
      throw new NotFoundException(
          "image archive has no image for "
              + String.join(
                  ", ", destination.platforms().stream().map(Platforms::format).toList()));
    }
    counting.forEach(entry -> tree.check(entry.descriptor()));
    var told = new ImportNames(destination);
    counting.stream()
        .map(Index.Entry::descriptor)
        .filter(image -> !told.ofImage(image).isEmpty())
        .forEach(ArchiveImport::checkCanBeNamed);
    if (!destination.unpacks().isEmpty()) {
      for (Index.Entry entry : counting) {
        Descriptor image = entry.descriptor();
        Set<String> own = told.ofImage(image);
        unpack.unpack(
            own.isEmpty() ? image.digest().toString() : own.iterator().next(),
            image,
            destination,
            listener);
      }
    }
    List<Image> saved = new ArrayList<>();
    for (String name : told.ofArchive(all.at())) {
      saved.add(save(name, all.at(), destination, listener));
    }
    for (Index.Entry entry : counting) {
      for (String name : told.ofImage(entry.descriptor())) {
        saved.add(save(name, entry.descriptor(), destination, listener));
      }
    }
    return saved;
  }

  /** Before anything has a name, so that what is refused leaves none. */
  private static void checkCanBeNamed(Descriptor image) {
    if (image.mediaType().isEmpty() || image.size() == 0) {
      throw new InvalidArgumentException(
          "image archive: index.json names %s, of media type \"%s\" and %d bytes: no image"
              .formatted(image.digest(), image.mediaType(), image.size()));
    }
  }

  private Image save(
      String name, Descriptor image, ImageSelection destination, TransferListener listener) {
    Image saved = names.save(name, image, destination.labels());
    listener.progress(
        new TransferProgress(
            TransferProgress.Event.SAVED, name, List.of(), 0, 0, Optional.of(image)));
    return saved;
  }
}
