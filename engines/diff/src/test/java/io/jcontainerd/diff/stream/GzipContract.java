package io.jcontainerd.diff.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.content.ContentReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What whoever inflates owes to layers packed with gzip, however the bytes come in pieces. */
abstract class GzipContract {
  private static final int DEFAULT = Deflater.DEFAULT_STRATEGY;

  /** A new inflater. */
  abstract Inflating inflating();

  /** How packed and plain bytes are cut: most bytes of a read, of the input, of a buffer. */
  private record Cut(int read, int input, int buffer) {
    static final List<Cut> ALL =
        List.of(
            new Cut(1, 600, 33),
            new Cut(3, 600, 700),
            new Cut(9, 1_000, 65_536),
            new Cut(1_000, 1_024, 100),
            new Cut(65_536, 65_536, 32_769),
            new Cut(1 << 18, 1 << 18, 1 << 18));
  }

  byte[] gunzip(byte[] packed, int read, int input, int buffer) throws IOException {
    List<ByteBuffer> buffers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      buffers.add(ByteBuffer.allocateDirect(buffer));
    }
    BufferPipe pipe = new BufferPipe(buffers);
    ContentReader reader = new Pieces(packed, read);
    Thread unpacking =
        Thread.ofPlatform()
            .start(
                () ->
                    Decompression.run(
                        reader,
                        Compression.GZIP,
                        ByteBuffer.allocateDirect(input),
                        pipe,
                        this::inflating));
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    try {
      ByteBuffer piece = pipe.next();
      while (piece != null) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        plain.writeBytes(bytes);
        piece = pipe.next();
      }
      return plain.toByteArray();
    } finally {
      pipe.cancel();
      join(unpacking);
    }
  }

  private static void join(Thread thread) {
    try {
      assertThat(thread.join(java.time.Duration.ofMinutes(1))).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private record Pieces(byte[] bytes, int most) implements ContentReader {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public int read(ByteBuffer into, long position) {
      if (position >= bytes.length) {
        return -1;
      }
      int count = Math.min(Math.min(most, into.remaining()), bytes.length - (int) position);
      into.put(bytes, (int) position, count);
      return count;
    }

    @Override
    public void close() {}
  }

  private byte[] gunzip(byte[] packed) throws IOException {
    return gunzip(packed, 1 << 18, 1 << 18, 1 << 18);
  }

  private void becomes(byte[] packed, byte[] plain) throws IOException {
    for (Cut cut : Cut.ALL) {
      assertThat(gunzip(packed, cut.read, cut.input, cut.buffer)).as("%s", cut).isEqualTo(plain);
    }
  }

  private void fails(byte[] packed, String message) {
    for (Cut cut : Cut.ALL) {
      assertThatThrownBy(() -> gunzip(packed, cut.read, cut.input, cut.buffer))
          .as("%s", cut)
          .isInstanceOf(CorruptStreamException.class)
          .hasMessageContaining(message);
    }
  }

  static byte[] gzip(byte[] plain, int level, int strategy) {
    Deflater deflater = new Deflater(level, true);
    deflater.setStrategy(strategy);
    deflater.setInput(plain);
    deflater.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3});
    byte[] piece = new byte[8192];
    while (!deflater.finished()) {
      out.write(piece, 0, deflater.deflate(piece));
    }
    deflater.end();
    CRC32 crc = new CRC32();
    crc.update(plain);
    littleEndian(out, crc.getValue());
    littleEndian(out, plain.length);
    return out.toByteArray();
  }

  private static void littleEndian(ByteArrayOutputStream out, long value) {
    for (int i = 0; i < 4; i++) {
      out.write((int) (value >> 8 * i));
    }
  }

  /** Words, noise and runs, by turns. */
  static byte[] sample(int size, long seed) {
    Random random = new Random(seed);
    byte[] bytes = new byte[size];
    int at = 0;
    while (at < size) {
      int length = Math.min(size - at, 1 + random.nextInt(9_000));
      int kind = random.nextInt(4);
      byte[] some = new byte[length];
      switch (kind) {
        case 0 -> random.nextBytes(some);
        case 1 -> Arrays.fill(some, (byte) random.nextInt(256));
        case 2 -> {
          for (int i = 0; i < length; i++) {
            some[i] = (byte) ('a' + random.nextInt(1 + i % 26));
          }
        }
        default -> {
          int back = Math.min(at, 1 + random.nextInt(32_768));
          for (int i = 0; i < length && back > 0; i++) {
            some[i] = i < back ? bytes[at - back + i] : some[i - back];
          }
        }
      }
      System.arraycopy(some, 0, bytes, at, length);
      at += length;
    }
    return bytes;
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 6, 9})
  void what_was_packed_comes_out(int level) throws IOException {
    byte[] plain = sample(150_000, level);
    becomes(gzip(plain, level, DEFAULT), plain);
    becomes(gzip(plain, level, Deflater.HUFFMAN_ONLY), plain);
    becomes(gzip(new byte[0], level, DEFAULT), new byte[0]);
    becomes(gzip(new byte[] {'x'}, level, DEFAULT), new byte[] {'x'});
    becomes(gzip(new byte[100_000], level, DEFAULT), new byte[100_000]);
  }

  @Test
  void it_comes_byte_by_byte_too() throws IOException {
    byte[] plain = sample(1_500, 8);
    for (int level = 0; level < 10; level++) {
      assertThat(gunzip(gzip(plain, level, DEFAULT), 1, 512, 1)).isEqualTo(plain);
    }
  }

  @Test
  void much_comes_out_whole() throws IOException {
    byte[] plain = sample(20 << 20, 7);
    byte[] packed = gzip(plain, 6, DEFAULT);
    assertThat(Arrays.equals(gunzip(packed), plain)).isTrue();
    assertThat(Arrays.equals(gunzip(packed, 70_001, 1 << 18, 100_003), plain)).isTrue();
  }

  @Test
  void members_in_a_row_are_one_stream_and_zeros_after_them_padding() throws IOException {
    byte[] one = sample(40_000, 1);
    byte[] two = sample(3, 2);
    byte[] three = sample(70_000, 3);
    byte[] packed =
        joined(
            gzip(one, 6, DEFAULT),
            gzip(new byte[0], 6, DEFAULT),
            gzip(two, 0, DEFAULT),
            gzip(three, 1, DEFAULT));
    becomes(packed, joined(one, two, three));
    becomes(Arrays.copyOf(packed, packed.length + 700), joined(one, two, three));
  }

  @Test
  void many_small_members_are_one_stream() throws IOException {
    byte[][] members = new byte[300][];
    byte[][] parts = new byte[300][];
    for (int i = 0; i < members.length; i++) {
      parts[i] = sample(i, i);
      members[i] = gzip(parts[i], i % 10, DEFAULT);
    }
    becomes(joined(members), joined(parts));
  }

  @Test
  void a_header_may_have_all_that_it_can_have() throws IOException {
    byte[] plain = sample(5_000, 4);
    byte[] packed = gzip(plain, 6, DEFAULT);
    byte[] header = {0x1f, (byte) 0x8b, 8, 31, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 'n', 0, 'c', 0, 1, 1};
    becomes(joined(header, Arrays.copyOfRange(packed, 10, packed.length)), plain);
  }

  @Test
  void what_breaks_off_is_told_wherever_it_does() {
    byte[] packed = gzip(sample(3_000, 5), 6, DEFAULT);
    for (int length = 18; length < packed.length; length++) {
      byte[] part = Arrays.copyOf(packed, length);
      for (Cut cut : List.of(new Cut(7, 600, 900), new Cut(1 << 18, 1 << 18, 1 << 18))) {
        assertThatThrownBy(() -> gunzip(part, cut.read, cut.input, cut.buffer))
            .as("%d of %d bytes", length, packed.length)
            .isInstanceOf(CorruptStreamException.class)
            .hasMessage("gzip data ends in the middle");
      }
    }
    fails(Arrays.copyOf(packed, 5), "gzip data ends in a header");
  }

  @Test
  void a_second_member_that_breaks_off_is_told() {
    byte[] packed = gzip(sample(3_000, 5), 6, DEFAULT);
    fails(joined(packed, Arrays.copyOf(packed, packed.length - 3)), "gzip data ends in the middle");
    fails(joined(packed, Arrays.copyOf(packed, 4)), "gzip data ends in a header");
  }

  @Test
  void sums_and_sizes_that_do_not_fit_are_told() {
    byte[] packed = gzip(sample(100_000, 6), 6, DEFAULT);
    for (int back : new int[] {1, 4, 5, 8}) {
      byte[] wrong = packed.clone();
      wrong[wrong.length - back] ^= 4;
      fails(wrong, "gzip checksum does not fit");
    }
  }

  @Test
  void garbage_after_the_end_is_told() {
    byte[] packed = gzip(sample(100, 6), 6, DEFAULT);
    fails(joined(packed, new byte[] {'x'}), "garbage after the gzip data");
    fails(joined(packed, new byte[12], new byte[] {'x'}), "garbage after the gzip data");
    fails(joined(packed, new byte[] {0x1f, 7, 7, 7}), "garbage after the gzip data");
  }

  @Test
  void blocks_codes_and_distances_that_cannot_be_are_told() {
    byte[] start = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    byte[] end = new byte[64];
    byte[] noSuchBlock = {7, 0, 0};
    byte[] lengthWithoutItsComplement = {1, 5, 0, 5, 0};
    byte[] distanceBeforeTheStart = {3, 2, 0, 0};
    byte[] codeOfNoSymbol = {(byte) 0x1b, (byte) 0xff, (byte) 0xff, (byte) 0xff};
    fails(joined(start, noSuchBlock, end), "corrupt gzip data: ");
    fails(joined(start, lengthWithoutItsComplement, end), "corrupt gzip data: ");
    fails(joined(start, distanceBeforeTheStart, end), "corrupt gzip data: ");
    fails(joined(start, codeOfNoSymbol, end), "corrupt gzip data: ");
  }

  @Test
  void damage_never_passes_for_something_else() throws IOException {
    long seed = Long.getLong("jcontainerd.test.seed", 1);
    Random random = new Random(seed);
    byte[] plain = sample(60_000, seed);
    for (int i = 0; i < 400; i++) {
      byte[] packed = gzip(plain, 1 + i % 9, DEFAULT);
      int flips = 1 + random.nextInt(3);
      for (int flip = 0; flip < flips; flip++) {
        packed[10 + random.nextInt(packed.length - 10)] ^= (byte) (1 << random.nextInt(8));
      }
      Cut cut = Cut.ALL.get(2 + random.nextInt(Cut.ALL.size() - 2));
      try {
        byte[] got = gunzip(packed, cut.read, cut.input, cut.buffer);
        // flips may undo each other
        assertThat(got).as("seed %d, %s", seed, cut).isEqualTo(plain);
      } catch (CorruptStreamException e) {
        assertThat(e).as("seed %d", seed).message().contains("gzip");
      }
    }
  }

  @Test
  void an_inflater_is_closed_as_often_as_one_likes_and_then_does_nothing() throws Exception {
    Inflating inflating = inflating();
    ByteBuffer from = ByteBuffer.allocateDirect(64);
    ByteBuffer to = ByteBuffer.allocateDirect(64);
    from.put(new byte[] {3, 0}).flip();
    assertThat(inflating.inflate(from, to)).isTrue();
    inflating.close();
    inflating.close();
    from.clear();
    assertThatThrownBy(() -> inflating.inflate(from, to)).isInstanceOf(RuntimeException.class);
    assertThatThrownBy(inflating::reset).isInstanceOf(RuntimeException.class);
  }
}
