package io.jcontainerd.crash.world;

import io.jcontainerd.core.Digest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A layer: files in folders, and the blob that they are packed in. The packing is a listing with
 * the bytes behind each name; real tar is the business of another room.
 *
 * @param files bytes by path
 * @param blob what is fetched
 */
public record Layer(Map<String, String> files, String blob) {
  /** A layer of a few files whose bytes follow from the name. */
  public static Layer of(String name, int... sizes) {
    Random random = new Random(name.hashCode());
    Map<String, String> files = new TreeMap<>();
    for (int i = 0; i < sizes.length; i++) {
      files.put((i % 2 == 0 ? "etc/" : "usr/") + name + "-" + i, text(random, sizes[i]));
    }
    StringBuilder blob = new StringBuilder();
    files.forEach(
        (path, bytes) ->
            blob.append(path).append(' ').append(bytes.length()).append('\n').append(bytes));
    return new Layer(Map.copyOf(files), blob.toString());
  }

  private static String text(Random random, int size) {
    StringBuilder text = new StringBuilder(size);
    for (int i = 0; i < size; i++) {
      text.append((char) ('!' + random.nextInt('~' - '!')));
    }
    return text.toString();
  }

  /** The bytes that are fetched. */
  public byte[] bytes() {
    return blob.getBytes(StandardCharsets.US_ASCII);
  }

  /** The name of the blob. */
  public Digest digest() {
    return Digest.sha256(bytes());
  }

  /** Reads the packing; what is cut off is an error. */
  static Map<String, byte[]> unpack(byte[] blob) {
    Map<String, byte[]> files = new TreeMap<>();
    for (int at = 0; at < blob.length; ) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      while (blob[at] != '\n') {
        line.write(blob[at++]);
      }
      at++;
      String[] entry = line.toString(StandardCharsets.US_ASCII).split(" ", 2);
      int size = Integer.parseInt(entry[1]);
      byte[] bytes = new byte[size];
      System.arraycopy(blob, at, bytes, 0, size);
      files.put(entry[0], bytes);
      at += size;
    }
    return files;
  }
}
