package io.jcontainerd.transfer.archive;

import com.github.luben.zstd.ZstdIOException;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarFormatException;
import io.jcontainerd.oci.tar.TarReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipException;

/**
 * What was in an archive: its few documents in memory, all other files in the content store.
 *
 * <p>A blob of an image layout is checked against its name as it comes. Any other file that may be
 * part of an image is stored under whatever its digest turns out to be; what no document refers to
 * is left to the garbage collector.
 */
final class ArchiveFiles {
  static final String LAYOUT = "oci-layout";
  static final String INDEX = "index.json";
  static final String DOCKER = "manifest.json";
  private static final String BLOBS = "blobs/";
  private static final Set<String> DOCUMENTS = Set.of(INDEX, DOCKER);

  /** What Docker writes beside what counts, for readers of ten years ago. */
  private static final Set<String> OF_OLD = Set.of("VERSION", "json", "repositories");

  private static final int LONGEST_LAYOUT = 4096;
  private static final int MOST_LINKS = 16;

  private final BlobWriter writer;
  private final boolean compress;
  private final ArchiveLimits limits;
  private final Map<String, byte[]> documents = new HashMap<>();
  private final Map<String, StoredFile> files = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();
  private final Set<String> names = new HashSet<>();
  private int entries;
  private long nameBytes;
  private boolean layout;

  private ArchiveFiles(BlobWriter writer, boolean compress, ArchiveLimits limits) {
    this.writer = writer;
    this.compress = compress;
    this.limits = limits;
  }

  /**
   * Reads an archive to its end.
   *
   * @param compress whether layers outside of an image layout are packed if they are not
   * @throws InvalidArgumentException if it is none, or not what it says
   */
  static ArchiveFiles read(
      InputStream archive, BlobWriter writer, boolean compress, ArchiveLimits limits)
      throws IOException {
    var files = new ArchiveFiles(writer, compress, limits);
    try (PlainArchive plain = PlainArchive.open(archive, limits)) {
      var tar = new TarReader(plain);
      for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
        files.take(entry, tar);
      }
      plain.drain();
    } catch (TarFormatException e) {
      throw new InvalidArgumentException("image archive: " + e.getMessage(), e);
    } catch (ZipException | EOFException | ZstdIOException e) {
      throw new InvalidArgumentException(
          "image archive is damaged or breaks off: " + e.getMessage(), e);
    }
    return files;
  }

  private void take(TarEntry entry, TarReader tar) throws IOException {
    if (++entries > limits.entries()) {
      throw new InvalidArgumentException(
          "image archive has more than " + limits.entries() + " entries");
    }
    checkNames(entry);
    String name = EntryPath.of(entry.name());
    if (entry.type() == TarEntry.Type.DIRECTORY) {
      return;
    }
    if (name.isEmpty() || !names.add(name)) {
      throw new InvalidArgumentException(
          "image archive: entry \"" + entry.name().shown() + "\" is there twice or has no name");
    }
    switch (entry.type()) {
      case REGULAR -> file(name, entry, tar);
      case SYMLINK -> links.put(name, EntryPath.ofLink(name, entry.link()));
      case HARD_LINK -> links.put(name, EntryPath.of(entry.link()));
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO ->
          throw new InvalidArgumentException(
              "image archive: entry \"" + entry.name().shown() + "\" is no file");
      case DIRECTORY -> {}
    }
  }

  /** Before anything is made of names, which a few packed bytes may tell to be very long. */
  private void checkNames(TarEntry entry) {
    int length = Math.max(entry.name().length(), entry.link().length());
    if (length > ArchiveLimits.LONGEST_NAME) {
      throw new InvalidArgumentException(
          "image archive: entry \"%s\" has a name or link of %d bytes, more than %d"
              .formatted(entry.name().shown(), length, ArchiveLimits.LONGEST_NAME));
    }
    nameBytes += entry.name().length() + entry.link().length();
    if (nameBytes > limits.names()) {
      throw new InvalidArgumentException(
          "image archive: names and links up to entry \"%s\" have more than %d bytes"
              .formatted(entry.name().shown(), limits.names()));
    }
  }

  private void file(String name, TarEntry entry, TarReader tar) throws IOException {
    if (entry.segments().isPresent()) {
      throw new InvalidArgumentException(
          "image archive: entry \"" + entry.name().shown() + "\" has holes");
    }
    if (name.equals(LAYOUT)) {
      checkLayout(document(name, entry.size(), Math.min(LONGEST_LAYOUT, limits.document()), tar));
      layout = true;
    } else if (DOCUMENTS.contains(name)) {
      documents.put(name, document(name, entry.size(), limits.document(), tar));
    } else if (name.startsWith(BLOBS)) {
      files.put(name, writer.named(tar, entry.size(), digest(name)));
    } else if (!layout && !OF_OLD.contains(name.substring(name.lastIndexOf('/') + 1))) {
      files.put(name, writer.unnamed(tar, entry.size(), compress));
    }
  }

  private byte[] document(String name, long size, int longest, TarReader tar) throws IOException {
    if (size > longest) {
      throw new InvalidArgumentException(
          "image archive: " + name + " of " + size + " bytes is too long");
    }
    var bytes = new ByteArrayOutputStream();
    for (ByteBuffer piece = tar.body(); piece != null; piece = tar.body()) {
      byte[] part = new byte[piece.remaining()];
      piece.get(part);
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  private static Digest digest(String name) {
    String[] parts = name.split("/", -1);
    try {
      if (parts.length == 3) {
        return Digest.parse(parts[1] + ":" + parts[2]);
      }
    } catch (InvalidArgumentException e) {
      throw new InvalidArgumentException(
          "image archive: entry \"" + name + "\" is not named by a digest", e);
    }
    throw new InvalidArgumentException(
        "image archive: entry \"" + name + "\" is not named by a digest");
  }

  private static void checkLayout(byte[] bytes) {
    String version = JsonObject.parse(bytes).string("imageLayoutVersion").orElse("");
    if (!version.equals("1.0.0")) {
      throw new InvalidArgumentException(
          "image archive: layout version \"" + version + "\" is not 1.0.0");
    }
  }

  /** Whether it says so of itself. */
  boolean isLayout() {
    return layout;
  }

  Optional<byte[]> document(String name) {
    return Optional.ofNullable(documents.get(name));
  }

  /**
   * The file of that name, through links.
   *
   * @throws InvalidArgumentException if the archive does not have it
   */
  StoredFile file(String name) {
    String at = name;
    for (int i = 0; i < MOST_LINKS; i++) {
      StoredFile file = files.get(at);
      if (file != null) {
        return file;
      }
      String next = links.get(at);
      if (next == null) {
        break;
      }
      at = next;
    }
    throw new InvalidArgumentException(
        "image archive: " + DOCKER + " names \"" + name + "\", which is not there");
  }
}
