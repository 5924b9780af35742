package io.jcontainerd.fuzz;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarFormatException;
import io.jcontainerd.oci.tar.TarReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The reader of tar archives: whatever the bytes are, it reads them or says what is wrong, it gives
 * no more bytes than it got, and how the bytes were cut into pieces makes no difference.
 */
public final class TarTarget {
  private TarTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    String whole = read(input, Math.max(1, input.length));
    String pieces = read(input, 7);
    if (!whole.equals(pieces)) {
      throw new AssertionError("read as a whole:\n" + whole + "\nand in pieces:\n" + pieces);
    }
  }

  private static String read(byte[] input, int pieceSize) {
    StringBuilder told = new StringBuilder();
    TarReader reader = new TarReader(new Pieces(input, pieceSize));
    long bytes = 0;
    try {
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        Map<RawPath, Integer> attributes = new TreeMap<>();
        entry.attributes().forEach((key, value) -> attributes.put(key, Arrays.hashCode(value)));
        told.append(entry.type()).append(' ').append(entry.name()).append(' ').append(entry.link());
        told.append(' ').append(entry.mode()).append(' ').append(entry.size()).append(' ');
        told.append(entry.uid()).append(' ').append(entry.gid()).append(' ');
        told.append(entry.modified()).append(entry.accessed()).append(entry.deviceMajor());
        told.append(' ').append(entry.deviceMinor()).append(attributes).append(entry.segments());
        int hash = 0;
        long body = 0;
        for (ByteBuffer piece = reader.body(); piece != null; piece = reader.body()) {
          while (piece.hasRemaining()) {
            hash = 31 * hash + piece.get();
            body++;
          }
        }
        bytes += body;
        told.append(body).append('#').append(hash).append('\n');
      }
      reader.drain();
    } catch (TarFormatException e) {
      told.append(e.getMessage());
    } catch (IOException e) {
      throw new AssertionError("not told as a fault of the archive", e);
    }
    if (bytes > input.length) {
      throw new AssertionError(bytes + " bytes of files in an archive of " + input.length);
    }
    return told.toString();
  }
}
