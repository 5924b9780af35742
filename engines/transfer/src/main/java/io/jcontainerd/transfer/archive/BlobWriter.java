package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.oci.tar.TarReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;

/**
 * Brings bodies of a tar archive and documents that were made into the content store. What it began
 * and did not finish it takes away again. For one thread.
 */
final class BlobWriter {
  private static final String UNCOMPRESSED = "containerd.io/uncompressed";
  private static final long LOOK_AFTER = 8 << 20;

  private final ContentStore content;
  private final LeaseStore leases;
  private final FreeSpace space;
  private final String run = UUID.randomUUID().toString();
  private int count;
  private long unchecked;

  /**
   * @param space where blobs go; a part of it stays free
   */
  BlobWriter(ContentStore content, LeaseStore leases, FreeSpace space) {
    this.content = content;
    this.leases = leases;
    this.space = space;
  }

  /** A body whose digest its name tells. */
  StoredFile named(TarReader tar, long size, Digest expected) throws IOException {
    Optional<Ingest> open = open(size, Optional.of(expected));
    if (open.isEmpty()) {
      keep(expected);
      checkSize(expected, size, content.info(expected).size());
      return new StoredFile(expected, size);
    }
    Ingest ingest = open.get();
    long offset = ingest.status().offset();
    if (offset > 0) {
      try (ingest) { // another namespace has it
        checkSize(expected, size, offset);
        return new StoredFile(commit(ingest, size, Optional.of(expected), Map.of()), size);
      }
    }
    return write(ingest, size, Optional.of(expected), new byte[0], tar);
  }

  private static void checkSize(Digest blob, long size, long have) {
    if (have != size) {
      throw new InvalidArgumentException(
          "image archive: blob %s has %d bytes instead of %d".formatted(blob, size, have));
    }
  }

  /**
   * A body with any name.
   *
   * @param compress whether it is to be packed with gzip if it is a plain tar archive
   */
  StoredFile unnamed(TarReader tar, long size, boolean compress) throws IOException {
    ByteBuffer first = tar.body();
    byte[] start = new byte[first == null ? 0 : first.remaining()];
    if (first != null) {
      first.get(start);
    }
    if (compress && looksLikeTar(start)) {
      return compressed(tar, start);
    }
    return write(open(size, Optional.empty()).orElseThrow(), size, Optional.empty(), start, tar);
  }

  private StoredFile compressed(TarReader tar, byte[] start) throws IOException {
    MessageDigest plain = Digest.hasher("sha256");
    String ref = ref();
    try (Ingest ingest = content.ingest(new IngestRequest(ref))) {
      checkRoom(0);
      try (var out = new GZIPOutputStream(new IngestOutput(ingest), 64 << 10)) {
        plain.update(start);
        out.write(start);
        for (ByteBuffer piece = tar.body(); piece != null; piece = tar.body()) {
          byte[] bytes = new byte[piece.remaining()];
          piece.get(bytes);
          plain.update(bytes);
          out.write(bytes);
        }
      }
      Digest diffId = Digest.of("sha256", plain.digest());
      long size = ingest.status().offset();
      Digest digest =
          commit(ingest, size, Optional.empty(), Map.of(UNCOMPRESSED, diffId.toString()));
      return new StoredFile(digest, size, Optional.of(diffId));
    } catch (ContainerdException | IOException e) {
      abort(ref, e);
      throw e;
    }
  }

  /** A document that was made here; one that is there already gets the labels, too. */
  void document(byte[] bytes, Map<String, String> labels) {
    Digest digest = Digest.sha256(bytes);
    Optional<Ingest> ingest = open(bytes.length, Optional.of(digest));
    if (ingest.isEmpty()) {
      keep(digest);
      label(digest, labels);
      return;
    }
    try (Ingest open = ingest.get()) {
      if (open.status().offset() == 0) {
        open.write(ByteBuffer.wrap(bytes));
      }
      commit(open, bytes.length, Optional.of(digest), labels);
      label(digest, labels);
    }
  }

  /** Adds labels to a blob. */
  void label(Digest digest, Map<String, String> labels) {
    var known = content.info(digest);
    if (!known.labels().entrySet().containsAll(labels.entrySet())) {
      Map<String, String> all = new HashMap<>(known.labels());
      all.putAll(labels);
      content.update(
          new ContentInfo(digest, known.size(), known.createdAt(), known.updatedAt(), all),
          new FieldMask(labels.keySet().stream().map(key -> "labels." + key).toList()));
    }
  }

  /** Adds a blob that was there before to the call's lease. */
  void keep(Digest digest) {
    Call.current()
        .lease()
        .ifPresent(
            lease -> leases.addResource(lease, new Lease.Resource(digest.toString(), "content")));
  }

  private String ref() {
    return "import-" + run + "-" + count++;
  }

  /** Nothing if the blob is there already. */
  private Optional<Ingest> open(long size, Optional<Digest> expected) {
    try {
      return Optional.of(content.ingest(new IngestRequest(ref(), size, expected)));
    } catch (AlreadyExistsException _) {
      return Optional.empty();
    }
  }

  private StoredFile write(
      Ingest ingest, long size, Optional<Digest> expected, byte[] start, TarReader tar)
      throws IOException {
    String ref = ingest.status().ref();
    try (ingest) {
      checkRoom(size);
      if (start.length > 0) {
        write(ingest, ByteBuffer.wrap(start));
      }
      for (ByteBuffer piece = tar.body(); piece != null; piece = tar.body()) {
        write(ingest, piece);
      }
      return new StoredFile(commit(ingest, size, expected, Map.of()), size);
    } catch (ContainerdException | IOException e) {
      abort(ref, e);
      throw e;
    }
  }

  /** Looks now and then whether there is still room, which others take, too. */
  private void write(Ingest ingest, ByteBuffer bytes) {
    unchecked += bytes.remaining();
    if (unchecked >= LOOK_AFTER) {
      checkRoom(bytes.remaining());
    }
    ingest.write(bytes);
  }

  /** So that a disk that an archive would fill stays of use to everything else. */
  private void checkRoom(long more) {
    unchecked = 0;
    space
        .bytes()
        .filter(left -> left - ArchiveLimits.RESERVE < more)
        .ifPresent(
            left -> {
              throw new ResourceExhaustedException(
                  "image archive: no room for %d more bytes; %d are left, of which %d stay free"
                      .formatted(more, left, ArchiveLimits.RESERVE));
            });
  }

  private Digest commit(
      Ingest ingest, long size, Optional<Digest> expected, Map<String, String> labels) {
    Digest digest = expected.orElseGet(ingest::digest);
    try {
      return ingest.commit(size, expected, labels);
    } catch (AlreadyExistsException _) {
      keep(digest);
      return digest;
    } catch (FailedPreconditionException e) {
      Digest found = ingest.digest();
      throw found.equals(digest)
          ? e
          : new InvalidArgumentException(
              "image archive: blob " + digest + " has the digest " + found, e);
    }
  }

  private void abort(String ref, Exception why) {
    CleanUp.apart(
        () -> {
          try {
            content.abort(ref);
          } catch (NotFoundException _) {
            // it became a blob, or was never begun
          } catch (ContainerdException e) {
            why.addSuppressed(e);
          }
        });
  }

  private static boolean looksLikeTar(byte[] start) {
    return start.length >= 512 && start[257] == 'u' && start[258] == 's' && start[259] == 't';
  }

  /** Bytes into an ingest; closing leaves it open. */
  private final class IngestOutput extends OutputStream {
    private final Ingest ingest;

    IngestOutput(Ingest ingest) {
      this.ingest = ingest;
    }

    @Override
    public void write(int octet) {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      BlobWriter.this.write(ingest, ByteBuffer.wrap(bytes, offset, length));
    }
  }
}
