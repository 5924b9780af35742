package io.jcontainerd.diff;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.diff.processor.StreamProcessors;
import io.jcontainerd.linux.Mounter;
import java.io.BufferedInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;

/**
 * Puts layers into snapshots of the erofs snapshotter: one that is an EROFS image becomes the
 * snapshot's image; one that is an archive is extracted as an overlay keeps it, so that the image
 * which the commit makes of it hides what the layer deletes. Other snapshots are left to other
 * differs. Safe for many threads.
 */
public final class ErofsApplier implements Applier, Comparer {
  private static final String NATIVE = "application/vnd.erofs.layer";
  private static final int PIECE = 1 << 18;

  private final ContentStore content;
  private final Mounter mounter;
  private final LayerLimits limits;
  private final LayerApplier archives;

  /**
   * @param content holds the layers
   * @param mounter does of the snapshot's mounts what the kernel alone cannot do
   * @param limits that a layer must keep; one that is an image, the limits of bytes alone
   */
  public ErofsApplier(ContentStore content, Mounter mounter, LayerLimits limits) {
    this(content, mounter, limits, new LayerApplier(content, mounter, limits));
  }

  private ErofsApplier(
      ContentStore content, Mounter mounter, LayerLimits limits, LayerApplier archives) {
    this.content = content;
    this.mounter = mounter;
    this.limits = limits;
    this.archives = archives;
  }

  /** The same that knows further media types of archives. */
  public ErofsApplier through(StreamProcessors further) {
    return new ErofsApplier(content, mounter, limits, archives.through(further));
  }

  @Override
  public Descriptor apply(Descriptor layer, List<Mount> mounts, Applier.Options options) {
    Path folder = folder(mounts);
    try {
      return layer.mediaType().startsWith(NATIVE)
          ? image(layer, folder)
          : archive(layer, mounts, options);
    } catch (IOException e) {
      throw LayerApplier.failure("layer " + layer.digest(), e);
    }
  }

  @Override
  public Descriptor compare(List<Mount> lower, List<Mount> upper, Comparer.Options options) {
    throw new NotImplementedException("the erofs differ compares nothing");
  }

  /**
   * The folder of the snapshot.
   *
   * @throws NotImplementedException if it is none of the erofs snapshotter
   */
  private static Path folder(List<Mount> mounts) {
    if (mounts.isEmpty()) {
      throw new NotImplementedException("no mounts for the erofs differ");
    }
    String inside = mounts.getFirst().source();
    if (!mounts.getFirst().type().startsWith("mkfs/")) {
      Mount last = mounts.getLast();
      String type = last.type().substring(last.type().lastIndexOf('/') + 1);
      inside =
          switch (type) {
            case "bind", "erofs" -> last.source();
            case "overlay" ->
                last.options().stream()
                    .filter(option -> option.startsWith("upperdir="))
                    .map(option -> option.substring("upperdir=".length()))
                    .findFirst()
                    .orElse("");
            default -> "";
          };
    }
    Path folder = Path.of(inside).getParent();
    if (folder == null || !Files.exists(folder.resolve(".erofslayer"))) {
      throw new NotImplementedException("mounts that are none of the erofs snapshotter");
    }
    return folder;
  }

  private Descriptor archive(Descriptor layer, List<Mount> mounts, Applier.Options options)
      throws IOException {
    try (Mounter.Ready ready = mounter.ready(mounts)) {
      List<Mount> left = ready.mounts();
      boolean alone =
          left.size() == 1
              && left.getFirst().type().equals("bind")
              && !left.getFirst().options().contains("ro");
      return archives.apply(
          layer,
          alone
              ? List.of(
                  new Mount("overlay", "overlay", List.of("upperdir=" + left.getFirst().source())))
              : left,
          options);
    }
  }

  /** Beside itself and then renamed, so that half an image is never taken for one. */
  private Descriptor image(Descriptor layer, Path folder) throws IOException {
    String type = layer.mediaType();
    int plus = type.indexOf('+');
    String packing = plus < 0 ? "" : type.substring(plus + 1);
    if (!packing.isEmpty() && !packing.equals("zstd")) {
      throw new NotImplementedException("layer " + layer.digest() + ": media type " + type);
    }
    Path beside = folder.resolve(".layer.erofs.differ");
    Files.deleteIfExists(beside);
    MessageDigest hasher = Digest.hasher("sha256");
    long size;
    try {
      try (ContentReader blob = content.reader(layer.digest());
          InputStream packed = new BufferedInputStream(new BlobStream(blob), PIECE);
          InputStream plain = packing.isEmpty() ? packed : new ZstdInputStreamNoFinalizer(packed);
          var file = new FileOutputStream(beside.toFile())) {
        size = copy(plain, new DigestOutputStream(file, hasher), blob.size());
        file.getFD().sync();
      }
      Files.move(beside, folder.resolve("layer.erofs"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      try {
        Files.deleteIfExists(beside);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    String plainType = plus < 0 ? type : type.substring(0, plus);
    return new Descriptor(plainType, Digest.of("sha256", hasher.digest()), size);
  }

  private long copy(InputStream plain, OutputStream into, long packed) throws IOException {
    long most = limits.bytesFor(packed);
    byte[] piece = new byte[PIECE];
    long size = 0;
    int count = plain.read(piece);
    while (count >= 0) {
      size += count;
      if (size > most) {
        throw new LayerLimitException(
            "unpacks to more than %d bytes, the most that are allowed for one of %d"
                .formatted(most, packed));
      }
      into.write(piece, 0, count);
      count = plain.read(piece);
    }
    return size;
  }

  /** A blob from its beginning. */
  private static final class BlobStream extends InputStream {
    private final ContentReader blob;
    private long position;

    BlobStream(ContentReader blob) {
      this.blob = blob;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      if (length == 0) {
        return 0;
      }
      int count = blob.read(ByteBuffer.wrap(into, offset, length), position);
      position += Math.max(0, count);
      return count;
    }
  }
}
