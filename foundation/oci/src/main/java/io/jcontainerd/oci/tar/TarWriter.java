package io.jcontainerd.oci.tar;

import io.jcontainerd.core.RawPath;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes archives in ustar form, with a pax header only before entries that need one: long or
 * non-ASCII names, fractions of seconds, large numbers, extended attributes. Equal entries give
 * equal bytes. For one thread; closing writes the end mark and leaves the stream open.
 */
public final class TarWriter implements AutoCloseable {
  private static final int BLOCK = 512;
  private static final long MOST_SIZE = 0_77_777_777_777L;
  private static final long MOST_ID = 0_7_777_777L;

  private final OutputStream out;
  private long bodyLeft;
  private int padding;
  private boolean closed;

  /** Writes to the stream. */
  public TarWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * Begins an entry; for a regular file {@link #body} must follow until all of its size is written.
   */
  public void entry(TarEntry entry) throws IOException {
    endBody();
    Map<String, byte[]> pax = new TreeMap<>();
    byte[] header = new byte[BLOCK];
    name(entry.name(), "path", header, 0, pax);
    name(entry.link(), "linkpath", header, 157, pax);
    octal(header, 100, 7, entry.mode());
    number(Integer.toUnsignedLong(entry.uid()), MOST_ID, "uid", header, 108, 7, pax);
    number(Integer.toUnsignedLong(entry.gid()), MOST_ID, "gid", header, 116, 7, pax);
    number(entry.size(), MOST_SIZE, "size", header, 124, 11, pax);
    modified(entry.modified(), header, pax);
    header[156] = (byte) flag(entry.type());
    octal(header, 329, 7, entry.deviceMajor());
    octal(header, 337, 7, entry.deviceMinor());
    entry.attributes().forEach((name, value) -> pax.put("SCHILY.xattr." + name, value));
    if (!pax.isEmpty()) {
      writePax(entry.name(), pax);
    }
    writeHeader(header);
    bodyLeft = entry.size();
    padding = (int) (-entry.size() & (BLOCK - 1));
  }

  /** Writes bytes of the entry's body. */
  public void body(byte[] bytes, int offset, int length) throws IOException {
    if (length > bodyLeft) {
      throw new IllegalArgumentException("more bytes than the entry's size");
    }
    out.write(bytes, offset, length);
    bodyLeft -= length;
  }

  private void endBody() throws IOException {
    if (bodyLeft != 0) {
      throw new IllegalStateException(bodyLeft + " bytes of the entry are missing");
    }
    out.write(new byte[padding]);
    padding = 0;
  }

  private static char flag(TarEntry.Type type) {
    return switch (type) {
      case REGULAR -> '0';
      case HARD_LINK -> '1';
      case SYMLINK -> '2';
      case CHARACTER_DEVICE -> '3';
      case BLOCK_DEVICE -> '4';
      case DIRECTORY -> '5';
      case FIFO -> '6';
    };
  }

  private static void name(
      RawPath name, String key, byte[] header, int at, Map<String, byte[]> pax) {
    byte[] bytes = name.bytes();
    boolean ascii = true;
    for (byte b : bytes) {
      ascii &= b > 0;
    }
    if (!ascii || bytes.length > 100) {
      pax.put(key, bytes);
    }
    System.arraycopy(bytes, 0, header, at, Math.min(bytes.length, 100));
  }

  private static void number(
      long value,
      long most,
      String key,
      byte[] header,
      int at,
      int digits,
      Map<String, byte[]> pax) {
    if (value > most) {
      pax.put(key, ascii(Long.toString(value)));
    }
    octal(header, at, digits, value > most ? 0 : value);
  }

  private static void modified(Instant time, byte[] header, Map<String, byte[]> pax) {
    long seconds = time.getEpochSecond();
    if (time.getNano() != 0 || seconds < 0 || seconds > MOST_SIZE) {
      pax.put("mtime", ascii(decimal(time)));
    }
    octal(header, 136, 11, seconds < 0 || seconds > MOST_SIZE ? 0 : seconds);
  }

  /** Seconds with as many decimals as needed; a time before 1970 counts backwards as a whole. */
  static String decimal(Instant time) {
    long seconds = time.getEpochSecond();
    long nanos = time.getNano();
    String sign = "";
    if (seconds < 0) {
      sign = "-";
      seconds = nanos == 0 ? -seconds : -seconds - 1;
      nanos = nanos == 0 ? 0 : 1_000_000_000L - nanos;
    }
    String fraction = nanos == 0 ? "" : ".%09d".formatted(nanos).replaceAll("0+$", "");
    return sign + seconds + fraction;
  }

  private void writePax(RawPath name, Map<String, byte[]> pax) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    pax.forEach(
        (key, value) -> {
          byte[] text = ascii(" " + key + "=");
          int length = text.length + value.length + 1;
          int whole = length + Integer.toString(length).length();
          whole = length + Integer.toString(whole).length();
          body.writeBytes(ascii(Integer.toString(whole)));
          body.writeBytes(text);
          body.writeBytes(value);
          body.write('\n');
        });
    byte[] header = new byte[BLOCK];
    byte[] shown = ascii("PaxHeaders.0/" + name.name());
    System.arraycopy(shown, 0, header, 0, Math.min(shown.length, 99));
    octal(header, 100, 7, 0644);
    octal(header, 108, 7, 0);
    octal(header, 116, 7, 0);
    octal(header, 124, 11, body.size());
    octal(header, 136, 11, 0);
    octal(header, 329, 7, 0);
    octal(header, 337, 7, 0);
    header[156] = 'x';
    writeHeader(header);
    body.writeTo(out);
    out.write(new byte[-body.size() & (BLOCK - 1)]);
  }

  private void writeHeader(byte[] header) throws IOException {
    System.arraycopy(ascii("ustar\00000"), 0, header, 257, 8);
    Arrays.fill(header, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    octal(header, 148, 6, sum);
    header[154] = 0;
    out.write(header);
  }

  private static void octal(byte[] header, int at, int digits, long value) {
    long left = value;
    for (int i = digits - 1; i >= 0; i--) {
      header[at + i] = (byte) ('0' + (left & 7));
      left >>>= 3;
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Writes the end mark; a second time does nothing. */
  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      endBody();
      out.write(new byte[2 * BLOCK]);
    }
  }
}
