package io.jcontainerd.fuzz;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.transfer.archive.ArchiveExport;
import io.jcontainerd.transfer.archive.ArchiveImport;
import io.jcontainerd.transfer.archive.ArchiveLimits;
import io.jcontainerd.transfer.archive.FreeSpace;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/**
 * Archives of images, as layouts and as {@code docker save} makes them: read, or refused with a
 * sentence and without leaving a name; however the bytes are cut into pieces, and without an ingest
 * that stays. What was read can be written, and is read again as the same images.
 *
 * <p>The first byte tells how: with its first bit an archive is made of the rest, see {@link
 * WrittenArchive}, else the rest is one; with the second only one platform counts; with the third
 * layers get packed; with the fourth and fifth the archive is packed with gzip or zstd.
 */
public final class ArchiveTarget {
  private static final int MADE = 1;
  private static final int ONE_PLATFORM = 2;
  private static final int COMPRESS = 4;
  private static final int GZIP = 8;
  private static final int ZSTD = 16;

  private static final ArchiveLimits LIMITS = new ArchiveLimits(64, 4096, 16 << 10, 200, 4096);
  private static final String PREFIX = "fuzz.example/zz9";

  private ArchiveTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    byte[] archive = packed((input[0] & MADE) == 0 ? rest : WrittenArchive.of(rest), input[0]);
    List<Platform> platforms =
        (input[0] & ONE_PLATFORM) == 0 ? List.of() : List.of(new Platform("linux", "amd64", ""));
    boolean compress = (input[0] & COMPRESS) != 0;
    Stores stores = new Stores(platforms);
    String whole = stores.read(new ByteArrayInputStream(archive), compress);
    String pieces = new Stores(platforms).read(new Drops(archive), compress);
    if (!whole.equals(pieces)) {
      throw new AssertionError("read as a whole:\n" + whole + "\nand in pieces:\n" + pieces);
    }
    Stores told = new Stores(platforms);
    String before = told.read(new ByteArrayInputStream(archive), compress, false);
    if (told.hasNames()) {
      byte[] written = told.write();
      String after = new Stores(platforms).read(new ByteArrayInputStream(written), false, false);
      if (!after.equals(before)) {
        throw new AssertionError("read:\n" + before + "\nand when written again:\n" + after);
      }
    }
  }

  private static byte[] packed(byte[] archive, byte how) {
    if ((how & ZSTD) != 0) {
      return Zstd.compress(archive);
    }
    if ((how & GZIP) == 0) {
      return archive;
    }
    var bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(archive);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A few bytes at a time. */
  private static final class Drops extends InputStream {
    private final InputStream in;
    private int next;

    Drops(byte[] bytes) {
      this.in = new ByteArrayInputStream(bytes);
    }

    @Override
    public int read() throws IOException {
      return in.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      next = (next + 5) % 13;
      return in.read(into, offset, Math.min(length, next + 1));
    }
  }

  /** Where an archive goes, empty before. */
  private static final class Stores {
    private final ContentStore content =
        InNamespace.of("default", ContentStore.class, new InMemoryContentStore());
    private final ImageStore images =
        InNamespace.of("default", ImageStore.class, new InMemoryImageStore());
    private final LeaseStore leases =
        InNamespace.of("default", LeaseStore.class, new InMemoryLeaseStore());
    private final List<Platform> platforms;

    Stores(List<Platform> platforms) {
      this.platforms = platforms;
    }

    boolean hasNames() {
      return !images.list(Filter.ALL).isEmpty();
    }

    /** What came of it: the names, or why there are none. */
    String read(InputStream archive, boolean compress) {
      return read(archive, compress, true);
    }

    /**
     * The same.
     *
     * @param byDigest whether there are names that a digest completes, also that of the archive's
     *     index, which is another one when it is written again
     */
    String read(InputStream archive, boolean compress, boolean byDigest) {
      var any = new ExtraReference(PREFIX, true, true, byDigest, false);
      var destination =
          new ImageSelection("", Map.of(), platforms, false, 0, List.of(any), List.of());
      try {
        new ArchiveImport(
                content,
                leases,
                this::save,
                (name, _, _, _) -> {
                  throw new AssertionError("nobody asked to unpack " + name);
                },
                FreeSpace.UNKNOWN,
                LIMITS)
            .run(archive, new ImportRequest("", compress, destination), TransferListener.NONE);
      } catch (InvalidArgumentException | NotFoundException | DataLossException refused) {
        return refused(String.valueOf(refused.getMessage()));
      } finally {
        if (!content.statuses(Filter.ALL).isEmpty()) {
          throw new AssertionError("ingests stay: " + content.statuses(Filter.ALL));
        }
      }
      SortedMap<String, String> named = new TreeMap<>();
      for (Image image : images.list(Filter.ALL)) {
        named.put(image.name(), image.target().mediaType() + " " + image.target().digest());
      }
      return named.toString();
    }

    private String refused(String why) {
      if (why.isBlank()) {
        throw new AssertionError("refused without a word");
      }
      if (hasNames()) {
        throw new AssertionError("refused (" + why + "), but named: " + images.list(Filter.ALL));
      }
      return why;
    }

    private Image save(String name, Descriptor target, Map<String, String> labels) {
      Image image = new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
      try {
        return images.create(image, Optional.empty());
      } catch (AlreadyExistsException _) {
        images.delete(name, Optional.empty(), false);
        return images.create(image, Optional.empty());
      }
    }

    /** All images as one archive. */
    byte[] write() {
      var bytes = new ByteArrayOutputStream();
      var request =
          new ExportRequest(
              new ImageSelection(""), "", platforms, platforms.isEmpty(), false, false);
      new ArchiveExport(content)
          .run(images.list(Filter.ALL), bytes, request, TransferListener.NONE);
      return bytes.toByteArray();
    }
  }
}
