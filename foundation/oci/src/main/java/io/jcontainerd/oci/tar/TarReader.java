package io.jcontainerd.oci.tar;

import io.jcontainerd.core.RawPath;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads tar archives as the world writes them: V7, ustar (POSIX.1-1988), pax (POSIX.1-2001, global
 * and local records, {@code SCHILY.xattr.*}), GNU long names, base-256 numbers and sparse files of
 * all GNU forms.
 *
 * <p>{@link #next} gives an entry; {@link #body} then gives its bytes in pieces, for sparse files
 * those between the holes only. What of a body was not asked for is skipped. Every number is
 * checked before it is believed; nothing is allocated for a size that is only claimed, but records
 * of at most a mebibyte. How many records and holes one entry may have is bounded. For one thread.
 */
public final class TarReader {
  private static final int BLOCK = 512;
  private static final int MOST_SPECIAL = 1 << 20;
  private static final int MOST_RECORDS = 4096;
  private static final int MOST_SEGMENTS = 1 << 17;

  /** The kernel's numbers of devices have 12 and 20 bits. */
  private static final long MOST_MAJOR = (1 << 12) - 1;

  private static final long MOST_MINOR = (1 << 20) - 1;
  private static final String XATTR = "SCHILY.xattr.";

  private final ByteSource source;
  private final byte[] header = new byte[BLOCK];
  private final Map<String, byte[]> global = new HashMap<>();
  private @Nullable ByteBuffer piece;
  private long bodyLeft;
  private long padding;

  /** Whether the archive may end with what is read, rather than go on with what that describes. */
  private boolean mayEnd;

  private String place = "the first entry";

  /** Reads from the source as far as asked. */
  public TarReader(ByteSource source) {
    this.source = source;
  }

  /** The next entry; null at the end of the archive. */
  public @Nullable TarEntry next() throws IOException {
    try {
      return read();
    } catch (TarFormatException e) {
      String message = String.valueOf(e.getMessage());
      throw message.contains(place) ? e : new TarFormatException(message + ", in " + place);
    }
  }

  private @Nullable TarEntry read() throws IOException {
    Map<String, byte[]> local = new HashMap<>();
    RawPath longName = RawPath.EMPTY;
    RawPath longLink = RawPath.EMPTY;
    boolean pending = false;
    while (true) {
      skipBody();
      if (!readHeader()) {
        if (pending) {
          throw new TarFormatException("the archive ends after an extended header");
        }
        return null;
      }
      pending = true;
      switch (header[156]) {
        case 'x', 'X' -> {
          local.putAll(pax(special("pax header")));
          checkRecords(local);
        }
        case 'g' -> {
          merge(global, pax(special("pax header")));
          checkRecords(global);
          pending = !local.isEmpty() || !longName.isEmpty() || !longLink.isEmpty();
        }
        case 'L' -> longName = gnuText(special("long name"));
        case 'K' -> longLink = gnuText(special("long link"));
        default -> {
          Map<String, byte[]> records = new HashMap<>(global);
          merge(records, local);
          TarEntry entry = entry(records, longName, longLink);
          return entry;
        }
      }
    }
  }

  /**
   * The next bytes of the current entry's body, to be used before the next call; null at its end.
   */
  public @Nullable ByteBuffer body() throws IOException {
    if (bodyLeft == 0) {
      return null;
    }
    ByteBuffer from = fill();
    if (from == null) {
      throw truncated();
    }
    int count = (int) Math.min(from.remaining(), bodyLeft);
    ByteBuffer slice = from.slice(from.position(), count);
    from.position(from.position() + count);
    bodyLeft -= count;
    return slice;
  }

  /** Reads what follows the archive, to the end of the source. */
  public void drain() throws IOException {
    piece = null;
    bodyLeft = 0;
    padding = 0;
    ByteBuffer more = source.next();
    while (more != null) {
      more = source.next();
    }
  }

  private TarFormatException truncated() {
    return new TarFormatException("unexpected end of the archive in " + place);
  }

  /** A piece with at least one byte; null at the end. */
  private @Nullable ByteBuffer fill() throws IOException {
    ByteBuffer current = piece;
    while (current == null || !current.hasRemaining()) {
      current = source.next();
      if (current == null) {
        piece = null;
        return null;
      }
    }
    piece = current;
    return current;
  }

  /** Some writers leave out the padding of the last entry, and with it the end mark. */
  private void skipBody() throws IOException {
    long mayMiss = mayEnd ? padding : 0;
    long left = bodyLeft + padding;
    bodyLeft = 0;
    padding = 0;
    while (left > 0) {
      ByteBuffer from = fill();
      if (from == null) {
        if (left <= mayMiss) {
          return;
        }
        throw truncated();
      }
      int count = (int) Math.min(from.remaining(), left);
      from.position(from.position() + count);
      left -= count;
    }
  }

  /**
   * @return how many bytes there were before the end, all if there were enough
   */
  private int read(byte[] into, int length) throws IOException {
    int done = 0;
    while (done < length) {
      ByteBuffer from = fill();
      if (from == null) {
        return done;
      }
      int count = Math.min(from.remaining(), length - done);
      from.get(into, done, count);
      done += count;
    }
    return done;
  }

  /** Reads a block into {@link #header}; false at the end of the archive, marked or not. */
  private boolean readHeader() throws IOException {
    place = place.startsWith("entry") ? "the entry after " + place : place;
    int got = read(header, BLOCK);
    if (got == 0) {
      return false;
    }
    if (got < BLOCK) {
      throw truncated();
    }
    if (isZero()) {
      got = read(header, BLOCK);
      if (got == 0 || (got == BLOCK && isZero())) {
        return false;
      }
      throw new TarFormatException("a lone block of zeros before " + place);
    }
    if (!Fields.checksumFits(header)) {
      throw new TarFormatException("wrong checksum in the header of " + place);
    }
    return true;
  }

  private boolean isZero() {
    for (byte b : header) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private void expectBody(long size) throws TarFormatException {
    if (size < 0 || size > Long.MAX_VALUE - BLOCK) {
      throw new TarFormatException("impossible size " + size + " of " + place);
    }
    bodyLeft = size;
    padding = -size & (BLOCK - 1);
    mayEnd = true;
  }

  /** The body of an entry that describes the next one. */
  private byte[] special(String what) throws IOException {
    long size = Fields.number(header, 124, 12, "size");
    if (size < 0 || size > MOST_SPECIAL) {
      throw new TarFormatException(what + " of " + size + " bytes before " + place);
    }
    byte[] body = new byte[(int) size];
    if (read(body, body.length) < body.length) {
      throw truncated();
    }
    padding = -size & (BLOCK - 1);
    mayEnd = false;
    return body;
  }

  private static RawPath gnuText(byte[] body) {
    return Fields.text(body, 0, body.length);
  }

  /** Records of the form {@code LENGTH KEY=VALUE\n}; repeated sparse records become one list. */
  private static Map<String, byte[]> pax(byte[] body) throws TarFormatException {
    Map<String, byte[]> records = new HashMap<>();
    StringBuilder map = new StringBuilder();
    int at = 0;
    while (at < body.length && body[at] != 0) {
      int space = at;
      long length = 0;
      while (space < body.length && body[space] >= '0' && body[space] <= '9') {
        length = Math.min(length * 10 + body[space] - '0', MOST_SPECIAL);
        space++;
      }
      int end = (int) Math.min(at + length, body.length + 1L);
      if (space >= body.length
          || body[space] != ' '
          || end > body.length
          || end < space + 3
          || body[end - 1] != '\n') {
        throw new TarFormatException("malformed pax header");
      }
      int equals = space + 1;
      while (equals < end && body[equals] != '=') {
        equals++;
      }
      if (equals == end) {
        throw new TarFormatException("malformed pax header");
      }
      String key = new String(body, space + 1, equals - space - 1, StandardCharsets.UTF_8);
      byte[] value = Arrays.copyOfRange(body, equals + 1, end - 1);
      if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
        map.append(map.isEmpty() ? "" : ",").append(new String(value, StandardCharsets.UTF_8));
      } else {
        records.put(key, value);
        if (records.size() > MOST_RECORDS) {
          throw new TarFormatException("a pax header of more than " + MOST_RECORDS + " records");
        }
      }
      at = end;
    }
    if (!map.isEmpty()) {
      records.put("GNU.sparse.map", map.toString().getBytes(StandardCharsets.UTF_8));
    }
    return records;
  }

  /** Records pile up over several headers; all together may be no larger than one. */
  private void checkRecords(Map<String, byte[]> records) throws TarFormatException {
    long bytes = 0;
    for (Map.Entry<String, byte[]> record : records.entrySet()) {
      bytes += record.getKey().length() + record.getValue().length;
    }
    if (bytes > MOST_SPECIAL || records.size() > MOST_RECORDS) {
      throw new TarFormatException(
          records.size() + " pax records of " + bytes + " bytes before " + place);
    }
  }

  /** An empty value takes a record of the wider scope back. */
  private static void merge(Map<String, byte[]> into, Map<String, byte[]> records) {
    records.forEach(
        (key, value) -> {
          if (value.length == 0 && !key.startsWith(XATTR)) {
            into.remove(key);
          } else {
            into.put(key, value);
          }
        });
  }

  private TarEntry entry(Map<String, byte[]> pax, RawPath longName, RawPath longLink)
      throws IOException {
    RawPath name = name(pax, longName);
    place = "entry \"" + name.shown() + "\"";
    TarEntry.Type type = type(header[156], name);
    RawPath link = link(pax, longLink);
    byte[] paxSize = pax.get("size");
    long size =
        paxSize == null ? Fields.number(header, 124, 12, "size") : Fields.decimal(paxSize, "size");
    Optional<List<TarEntry.Segment>> segments = Optional.empty();
    if (type == TarEntry.Type.REGULAR) {
      expectBody(size);
      Sparse sparse = sparse(pax);
      if (sparse != null) {
        size = sparse.realSize();
        checkSegments(sparse);
        segments = Optional.of(sparse.segments());
      }
    } else {
      size = 0;
    }
    boolean device = type == TarEntry.Type.CHARACTER_DEVICE || type == TarEntry.Type.BLOCK_DEVICE;
    byte[] accessed = pax.get("atime");
    return new TarEntry(
        type,
        name,
        link,
        (int) Fields.number(header, 100, 8, "mode") & 07777,
        id(pax, "uid", 108),
        id(pax, "gid", 116),
        size,
        modified(pax),
        accessed == null ? Optional.empty() : Optional.of(Fields.time(accessed, "atime")),
        device ? deviceHalf(329, MOST_MAJOR) : 0,
        device ? deviceHalf(337, MOST_MINOR) : 0,
        attributes(pax),
        segments);
  }

  private boolean isUstar() {
    return header[257] == 'u'
        && header[258] == 's'
        && header[259] == 't'
        && header[260] == 'a'
        && header[261] == 'r'
        && header[262] == 0;
  }

  private RawPath name(Map<String, byte[]> pax, RawPath longName) throws TarFormatException {
    byte[] sparseName = pax.get("GNU.sparse.name");
    byte[] path = sparseName == null ? pax.get("path") : sparseName;
    if (path != null) {
      return path(path);
    }
    if (!longName.isEmpty()) {
      return longName;
    }
    RawPath name = Fields.text(header, 0, 100);
    if (isUstar() && header[345] != 0) {
      return Fields.text(header, 345, 155).resolve(name);
    }
    return name;
  }

  private RawPath link(Map<String, byte[]> pax, RawPath longLink) throws TarFormatException {
    byte[] path = pax.get("linkpath");
    if (path != null) {
      return path(path);
    }
    return longLink.isEmpty() ? Fields.text(header, 157, 100) : longLink;
  }

  private RawPath path(byte[] bytes) throws TarFormatException {
    try {
      return RawPath.of(bytes);
    } catch (IllegalArgumentException e) {
      throw new TarFormatException("a NUL byte in the name of " + place);
    }
  }

  private static TarEntry.Type type(byte flag, RawPath name) throws TarFormatException {
    return switch (flag) {
      case 0 ->
          !name.isEmpty() && name.byteAt(name.length() - 1) == '/'
              ? TarEntry.Type.DIRECTORY
              : TarEntry.Type.REGULAR;
      case '0', '7', 'S' -> TarEntry.Type.REGULAR;
      case '1' -> TarEntry.Type.HARD_LINK;
      case '2' -> TarEntry.Type.SYMLINK;
      case '3' -> TarEntry.Type.CHARACTER_DEVICE;
      case '4' -> TarEntry.Type.BLOCK_DEVICE;
      case '5' -> TarEntry.Type.DIRECTORY;
      case '6' -> TarEntry.Type.FIFO;
      default ->
          throw new TarFormatException(
              "entry \"" + name.shown() + "\" is of the unsupported type " + (flag & 0xff));
    };
  }

  private int id(Map<String, byte[]> pax, String key, int offset) throws TarFormatException {
    byte[] record = pax.get(key);
    long id = record == null ? Fields.number(header, offset, 8, key) : Fields.decimal(record, key);
    if (id < 0 || id > 0xffff_fffeL) {
      throw new TarFormatException(key + " " + id + " of " + place + " is out of range");
    }
    return (int) id;
  }

  private long deviceHalf(int offset, long most) throws TarFormatException {
    long half = Fields.number(header, offset, 8, "device");
    if (half < 0 || half > most) {
      throw new TarFormatException("device number " + half + " of " + place + " is out of range");
    }
    return half;
  }

  private Instant modified(Map<String, byte[]> pax) throws TarFormatException {
    byte[] record = pax.get("mtime");
    if (record != null) {
      return Fields.time(record, "mtime");
    }
    try {
      return Instant.ofEpochSecond(Fields.number(header, 136, 12, "mtime"));
    } catch (DateTimeException e) {
      throw new TarFormatException("the time of " + place + " is out of range");
    }
  }

  private Map<RawPath, byte[]> attributes(Map<String, byte[]> pax) throws TarFormatException {
    Map<RawPath, byte[]> attributes = new HashMap<>();
    for (Map.Entry<String, byte[]> record : pax.entrySet()) {
      if (record.getKey().startsWith(XATTR)) {
        String name = record.getKey().substring(XATTR.length());
        attributes.put(path(name.getBytes(StandardCharsets.UTF_8)), record.getValue());
      }
    }
    return attributes;
  }

  private record Sparse(long realSize, List<TarEntry.Segment> segments) {}

  private @Nullable Sparse sparse(Map<String, byte[]> pax) throws IOException {
    if (header[156] == 'S') {
      return oldGnuSparse();
    }
    byte[] major = pax.get("GNU.sparse.major");
    byte[] minor = pax.get("GNU.sparse.minor");
    if (major != null && minor != null && major.length == 1 && major[0] == '1') {
      byte[] realSize = pax.get("GNU.sparse.realsize");
      if (minor.length != 1 || minor[0] != '0' || realSize == null) {
        throw new TarFormatException("unknown sparse format of " + place);
      }
      return new Sparse(Fields.decimal(realSize, "GNU.sparse.realsize"), mapInBody());
    }
    byte[] map = pax.get("GNU.sparse.map");
    byte[] size = pax.get("GNU.sparse.size");
    if (map == null || size == null) {
      return null;
    }
    return new Sparse(Fields.decimal(size, "GNU.sparse.size"), pairs(map));
  }

  /** Offset and length by turns, with commas between. */
  private List<TarEntry.Segment> pairs(byte[] map) throws TarFormatException {
    List<TarEntry.Segment> segments = new ArrayList<>();
    long offset = -1;
    int start = 0;
    for (int at = 0; at <= map.length; at++) {
      if (at < map.length && map[at] != ',') {
        continue;
      }
      long number = Fields.decimal(Arrays.copyOfRange(map, start, at), "GNU.sparse.map");
      if (offset < 0) {
        offset = number;
      } else {
        addSegment(new TarEntry.Segment(offset, number), segments);
        offset = -1;
      }
      if (number < 0) {
        throw new TarFormatException("malformed sparse map of " + place);
      }
      start = at + 1;
    }
    if (offset >= 0) {
      throw new TarFormatException("malformed sparse map of " + place);
    }
    return segments;
  }

  private void addSegment(TarEntry.Segment segment, List<TarEntry.Segment> into)
      throws TarFormatException {
    if (into.size() == MOST_SEGMENTS) {
      throw new TarFormatException("too many holes in " + place);
    }
    into.add(segment);
  }

  /** Four segments in the header and, if a flag says so, 21 in each of the blocks that follow. */
  private Sparse oldGnuSparse() throws IOException {
    List<TarEntry.Segment> segments = new ArrayList<>();
    long realSize = Fields.number(header, 483, 12, "real size");
    addSegments(header, 386, 4, segments);
    boolean more = header[482] != 0;
    byte[] block = new byte[BLOCK];
    while (more) {
      if (read(block, BLOCK) < BLOCK) {
        throw truncated();
      }
      addSegments(block, 0, 21, segments);
      more = block[504] != 0;
    }
    return new Sparse(realSize, segments);
  }

  private void addSegments(byte[] from, int offset, int count, List<TarEntry.Segment> into)
      throws TarFormatException {
    for (int i = 0; i < count; i++) {
      int at = offset + i * 24;
      if (from[at] == 0) {
        return;
      }
      addSegment(
          new TarEntry.Segment(
              Fields.number(from, at, 12, "sparse offset"),
              Fields.number(from, at + 12, 12, "sparse length")),
          into);
    }
  }

  /** Format 1.0: the body begins with decimal lines, count first, filled up to a whole block. */
  private List<TarEntry.Segment> mapInBody() throws IOException {
    MapLines lines = new MapLines();
    long count = lines.number();
    if (count > MOST_SEGMENTS) {
      throw new TarFormatException("too many holes in " + place);
    }
    List<TarEntry.Segment> segments = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      long offset = lines.number();
      segments.add(new TarEntry.Segment(offset, lines.number()));
    }
    return segments;
  }

  private final class MapLines {
    private final byte[] block = new byte[BLOCK];
    private int at = BLOCK;

    long number() throws IOException {
      long value = 0;
      int digits = 0;
      while (true) {
        if (at == BLOCK) {
          if (bodyLeft < BLOCK) {
            throw new TarFormatException("malformed sparse map of " + place);
          }
          if (read(block, BLOCK) < BLOCK) {
            throw truncated();
          }
          bodyLeft -= BLOCK;
          at = 0;
        }
        int c = block[at];
        at++;
        if (c == '\n' && digits > 0) {
          return value;
        }
        if (c < '0' || c > '9' || digits == 18) {
          throw new TarFormatException("malformed sparse map of " + place);
        }
        value = value * 10 + c - '0';
        digits++;
      }
    }
  }

  /** In ascending order, not overlapping, within the file, and exactly the bytes of the body. */
  private void checkSegments(Sparse sparse) throws TarFormatException {
    long end = 0;
    long bytes = 0;
    for (TarEntry.Segment segment : sparse.segments()) {
      boolean sound =
          segment.offset() >= end
              && segment.length() >= 0
              && segment.offset() <= sparse.realSize()
              && segment.length() <= sparse.realSize() - segment.offset();
      if (!sound) {
        throw new TarFormatException("malformed sparse map of " + place);
      }
      end = segment.offset() + segment.length();
      bytes += segment.length();
    }
    if (sparse.realSize() < 0 || bytes != bodyLeft) {
      throw new TarFormatException("the sparse map of " + place + " does not fit its size");
    }
  }
}
