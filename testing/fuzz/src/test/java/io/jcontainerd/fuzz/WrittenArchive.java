package io.jcontainerd.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * A tar archive made of a text that somebody, or a fuzzer, can change without breaking checksums:
 * names and bodies of its files in turn, with a NUL byte between. In both, {@code $3} stands for
 * the hash of the fourth body, {@code #3} for its length, as long as it came before. A name with
 * {@code >} is a symbolic link to what follows, with {@code =} a hard link. A body that begins with
 * {@code %} is a tar archive of one file with the rest, with {@code %%} the same packed.
 */
final class WrittenArchive {
  private static final Pattern WORD = Pattern.compile("[$#]([0-9])");

  private final List<byte[]> bodies = new ArrayList<>();

  private WrittenArchive() {}

  static byte[] of(byte[] text) {
    return new WrittenArchive().made(new String(text, ISO_8859_1));
  }

  private byte[] made(String text) {
    String[] parts = text.split("\0", -1);
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarWriter(bytes)) {
      for (int i = 0; i < parts.length; i += 2) {
        byte[] body = i + 1 < parts.length ? body(parts[i + 1]) : new byte[0];
        bodies.add(body);
        // a blob's name may have its own hash
        add(tar, filled(parts[i]), body);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void add(TarWriter tar, String name, byte[] body) throws IOException {
    int symbolic = name.indexOf('>');
    int hard = name.indexOf('=');
    if (symbolic >= 0) {
      String target = name.substring(symbolic + 1);
      tar.entry(entry(TarEntry.Type.SYMLINK, name.substring(0, symbolic), target, 0));
    } else if (hard >= 0) {
      String target = name.substring(hard + 1);
      tar.entry(entry(TarEntry.Type.HARD_LINK, name.substring(0, hard), target, 0));
    } else {
      tar.entry(entry(TarEntry.Type.REGULAR, name, "", body.length));
      tar.body(body, 0, body.length);
    }
  }

  private static TarEntry entry(TarEntry.Type type, String name, String link, long size) {
    return new TarEntry(
        type,
        RawPath.of(name),
        RawPath.of(link),
        0644,
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

  private byte[] body(String text) throws IOException {
    if (!text.startsWith("%")) {
      return filled(text).getBytes(ISO_8859_1);
    }
    boolean packed = text.startsWith("%%");
    byte[] file = text.substring(packed ? 2 : 1).getBytes(ISO_8859_1);
    var bytes = new ByteArrayOutputStream();
    try (OutputStream out = packed ? new GZIPOutputStream(bytes) : bytes;
        var tar = new TarWriter(out)) {
      add(tar, "file", file);
    }
    return bytes.toByteArray();
  }

  private String filled(String text) {
    Matcher word = WORD.matcher(text);
    var filled = new StringBuilder();
    while (word.find()) {
      int which = word.group(1).charAt(0) - '0';
      String by = word.group();
      if (which < bodies.size()) {
        byte[] body = bodies.get(which);
        by =
            word.group().startsWith("#")
                ? Integer.toString(body.length)
                : Digest.sha256(body).hex();
      }
      word.appendReplacement(filled, Matcher.quoteReplacement(by));
    }
    return word.appendTail(filled).toString();
  }
}
