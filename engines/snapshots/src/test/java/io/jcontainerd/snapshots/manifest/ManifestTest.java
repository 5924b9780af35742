package io.jcontainerd.snapshots.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ManifestTest {
  private static Entry entry(int depth, String name, FileStat.Type type) {
    return new Entry(
        depth,
        RawPath.of(name),
        OptionalLong.empty(),
        type,
        04751,
        -2,
        1_000_000,
        Instant.ofEpochSecond(-5, 999_999_999),
        type == FileStat.Type.REGULAR ? 1L << 62 : 0,
        type == FileStat.Type.REGULAR,
        type == FileStat.Type.REGULAR ? OptionalLong.of(-3) : OptionalLong.empty(),
        type == FileStat.Type.SYMLINK ? RawPath.of("../to\n\u00e4") : RawPath.EMPTY,
        type == FileStat.Type.CHARACTER_DEVICE ? 0x103 : 0,
        type == FileStat.Type.DIRECTORY
            ? Map.of(RawPath.of("user.note"), new byte[] {0, -1})
            : Map.of());
  }

  private static List<Entry> entries() {
    List<Entry> all = new ArrayList<>();
    all.add(entry(0, "", FileStat.Type.DIRECTORY));
    for (int depth = 1; depth < 600; depth++) {
      all.add(entry(depth, "d", FileStat.Type.DIRECTORY));
    }
    for (FileStat.Type type : FileStat.Type.values()) {
      all.add(entry(1, "e-" + type, type));
    }
    all.add(Entry.further(1, RawPath.of("z"), 601));
    return all;
  }

  private static byte[] written() throws IOException {
    var out = new ByteArrayOutputStream();
    ManifestWriter writer = new ManifestWriter(out);
    for (Entry entry : entries()) {
      writer.add(entry);
    }
    writer.finish();
    assertThat(writer.bytes()).isEqualTo(out.size());
    assertThat(ManifestReader.sum(new ByteArrayInputStream(out.toByteArray())))
        .isEqualTo(writer.sum());
    return out.toByteArray();
  }

  private static List<Entry> read(byte[] bytes) throws IOException {
    ManifestReader reader = new ManifestReader(new ByteArrayInputStream(bytes));
    List<Entry> all = new ArrayList<>();
    for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
      all.add(entry);
    }
    return all;
  }

  private static String text(Entry entry) {
    StringBuilder attributes = new StringBuilder();
    entry
        .attributes()
        .forEach((name, value) -> attributes.append(name).append(Arrays.toString(value)));
    return String.join(
        " ",
        entry.depth() + entry.name().toString() + entry.first() + entry.type(),
        entry.mode() + ":" + entry.uid() + ":" + entry.gid() + entry.modified(),
        entry.size() + ":" + entry.linked() + entry.sum() + entry.target() + entry.device(),
        attributes);
  }

  @Test
  void what_is_written_is_read() throws IOException {
    assertThat(read(written()).stream().map(ManifestTest::text))
        .containsExactlyElementsOf(entries().stream().map(ManifestTest::text).toList());
  }

  @Test
  void a_manifest_cut_anywhere_is_refused() throws IOException {
    byte[] bytes = written();
    for (int length = 0; length < bytes.length; length += 7) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> read(cut)).isInstanceOf(ManifestFormatException.class);
    }
  }

  @Test
  void damaged_bytes_give_a_refusal_or_other_entries_and_nothing_worse() throws IOException {
    long seed = Long.getLong("jcontainerd.test.seed", 1);
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    byte[] bytes = written();
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
      byte[] damaged = bytes.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        read(damaged);
      } catch (ManifestFormatException e) {
        refused++;
      } catch (IllegalArgumentException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
    assertThat(refused).isPositive();
  }
}
