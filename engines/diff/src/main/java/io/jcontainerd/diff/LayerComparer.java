package io.jcontainerd.diff;

import com.github.luben.zstd.ZstdOutputStream;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.Ending;
import io.jcontainerd.diff.stream.Compression;
import io.jcontainerd.diff.tree.TreeDifference;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.zip.GZIPOutputStream;

/**
 * Makes a layer in tar form from the difference of two trees, plain or packed with gzip or zstd.
 *
 * <p>Equal trees give equal layers. A packed layer gets the label {@code
 * containerd.io/uncompressed} with the digest of the plain one. The work is done by a thread of its
 * own; nothing stays mounted and no thread goes on after the answer. An ingest under a made-up ref
 * is removed after a failure, one under the caller's ref is kept for the caller. Safe for many
 * threads.
 */
public final class LayerComparer implements Comparer {
  private static final String DEFAULT_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
  private static final String UNCOMPRESSED = "containerd.io/uncompressed";
  private static final int BUFFER = 64 * 1024;
  private static final int ZSTD_LEVEL = 3;

  private final ContentStore content;
  private final Mounter mounter;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param content gets the layers
   * @param mounter for trees that must be mounted to be read
   */
  public LayerComparer(ContentStore content, Mounter mounter) {
    this.content = content;
    this.mounter = mounter;
  }

  @Override
  public Descriptor compare(List<Mount> lower, List<Mount> upper, Options options) {
    String mediaType = options.mediaType().isEmpty() ? DEFAULT_TYPE : options.mediaType();
    Compression compression =
        Compression.ofMediaType(mediaType)
            .orElseThrow(() -> new NotImplementedException("diff: media type " + mediaType));
    boolean madeUp = options.ref().isEmpty();
    String ref = madeUp ? ref() : options.ref();
    try {
      return onThread(ref, () -> write(lower, upper, options, mediaType, compression, ref));
    } catch (IOException e) {
      throw aborted(madeUp, ref, LayerApplier.failure("diff " + ref, e));
    } catch (ContainerdException e) {
      throw aborted(madeUp, ref, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw aborted(madeUp, ref, new CancelledException("diff " + ref + ": interrupted"));
    }
  }

  private String ref() {
    byte[] bytes = new byte[9];
    random.nextBytes(bytes);
    return System.nanoTime() % 1_000_000_000L
        + "-"
        + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Removes the ingest that nobody else can name. */
  private ContainerdException aborted(boolean madeUp, String ref, ContainerdException failure) {
    if (madeUp) {
      try {
        CleanUp.run(() -> content.abort(ref));
      } catch (NotFoundException _) {
        return failure;
      } catch (ContainerdException second) {
        failure.addSuppressed(second);
      }
    }
    return failure;
  }

  private interface Work {
    Descriptor run() throws IOException;
  }

  /** Large trees take long; the operation that this is part of is listed, and cancelled. */
  private static Descriptor onThread(String ref, Work work)
      throws IOException, InterruptedException {
    FutureTask<Descriptor> task = new FutureTask<>(Call.carrying(work::run));
    Thread thread =
        Thread.ofPlatform()
            .name("compare-" + ref)
            .stackSize(LayerApplier.STACK_BYTES)
            .daemon(true)
            .start(task);
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case null, default -> throw new IOException(e.getCause());
      }
    } finally {
      thread.interrupt();
      Ending.await(thread);
    }
  }

  private Descriptor write(
      List<Mount> lower,
      List<Mount> upper,
      Options options,
      String mediaType,
      Compression compression,
      String ref)
      throws IOException {
    try (Ingest ingest = content.ingest(new IngestRequest(ref))) {
      if (ingest.status().offset() > 0) {
        ingest.truncate(0);
      }
      IngestStream packed = new IngestStream(ingest);
      MessageDigest hasher = Digest.hasher("sha256");
      try (OutputStream packing = pack(new BufferedOutputStream(packed, BUFFER), compression);
          OutputStream plain =
              new BufferedOutputStream(
                  new CancellableStream(new DigestOutputStream(packing, hasher)), BUFFER);
          TarWriter tar = new TarWriter(plain)) {
        trees(lower, upper, options, tar);
      }
      Digest plain = Digest.of("sha256", hasher.digest());
      Map<String, String> labels = new HashMap<>(options.labels());
      if (compression != Compression.NONE) {
        labels.put(UNCOMPRESSED, plain.toString());
      }
      Digest digest = commit(ingest, packed.size(), labels);
      return new Descriptor(mediaType, digest, packed.size());
    }
  }

  private void trees(List<Mount> lower, List<Mount> upper, Options options, TarWriter tar)
      throws IOException {
    try (ReadableTree after = ReadableTree.open(upper, mounter)) {
      if (lower.isEmpty()) {
        TreeDifference.write(Optional.empty(), after.root(), options.sourceDateEpoch(), tar);
        return;
      }
      try (ReadableTree before = ReadableTree.open(lower, mounter)) {
        Optional<Directory> tree = Optional.of(before.root());
        TreeDifference.write(tree, after.root(), options.sourceDateEpoch(), tar);
      }
    }
  }

  private static OutputStream pack(OutputStream out, Compression compression) throws IOException {
    return switch (compression) {
      case NONE -> out;
      case GZIP -> new GZIPOutputStream(out, BUFFER);
      case ZSTD -> new ZstdOutputStream(out, ZSTD_LEVEL);
    };
  }

  /** A blob that was there already gets the labels that it lacks. */
  private Digest commit(Ingest ingest, long size, Map<String, String> labels) {
    Digest digest = ingest.digest();
    try {
      return ingest.commit(size, Optional.of(digest), labels);
    } catch (AlreadyExistsException e) {
      String plain = labels.get(UNCOMPRESSED);
      ContentInfo known = content.info(digest);
      if (plain != null && !plain.equals(known.labels().get(UNCOMPRESSED))) {
        ContentInfo labelled =
            new ContentInfo(
                digest,
                known.size(),
                known.createdAt(),
                known.updatedAt(),
                Map.of(UNCOMPRESSED, plain));
        ContentInfo _ = content.update(labelled, new FieldMask(List.of("labels." + UNCOMPRESSED)));
      }
      return digest;
    }
  }
}
