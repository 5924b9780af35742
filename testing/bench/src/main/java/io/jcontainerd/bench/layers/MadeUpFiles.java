package io.jcontainerd.bench.layers;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Files of a mebibyte, four fifths of which cannot be packed; the same ones each time. */
public final class MadeUpFiles {
  /** Of one file. */
  public static final int BYTES = 1 << 20;

  private static final int RANDOM_BYTES = BYTES / 5 * 4;
  private static final int BUFFER = 1 << 16;
  private static final int MODE = 0644;

  private MadeUpFiles() {}

  /** Writes an archive of files; leaves the stream open. */
  public static void write(int files, OutputStream out) throws IOException {
    var random = new SplittableRandom(files);
    var bytes = new byte[BYTES];
    Arrays.fill(bytes, RANDOM_BYTES, BYTES, (byte) 'x');
    var buffered = new BufferedOutputStream(out, BUFFER);
    try (TarWriter tar = new TarWriter(buffered)) {
      for (int i = 0; i < files; i++) {
        fill(random, bytes);
        tar.entry(entry("file-%06d".formatted(i)));
        tar.body(bytes, 0, bytes.length);
      }
    }
    buffered.flush();
  }

  private static void fill(SplittableRandom random, byte[] bytes) {
    var some = new byte[RANDOM_BYTES];
    random.nextBytes(some);
    System.arraycopy(some, 0, bytes, 0, some.length);
  }

  private static TarEntry entry(String name) {
    return new TarEntry(
        TarEntry.Type.REGULAR,
        RawPath.of(name),
        RawPath.EMPTY,
        MODE,
        0,
        0,
        BYTES,
        Instant.EPOCH,
        Optional.empty(),
        0,
        0,
        Map.of(),
        Optional.empty());
  }
}
