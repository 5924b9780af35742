package io.jcontainerd.bench;

import io.jcontainerd.bench.layers.Codec;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What of pulls is measured.
 *
 * @param parts the measurements
 * @param layers of the Debian image
 * @param codecs that its layers are packed with
 * @param shapes of the line, in bits a second; 0 for loopback as it is
 * @param runs that count of each
 * @param sizes of single layers, in megabytes
 */
record PullOptions(
    Set<Part> parts,
    List<Integer> layers,
    List<Codec> codecs,
    List<Long> shapes,
    int runs,
    List<Integer> sizes) {
  private static final long GIGABIT = 1_000_000_000;
  private static final String GIGABITS = "gbit";
  private static final String NONE = "none";

  /** A measurement. */
  enum Part {
    /** Beside other daemons. */
    PULL,
    /** Where the time of ours goes. */
    STAGES,
    /** Our memory by the size of a layer. */
    SIZES
  }

  PullOptions {
    parts = Set.copyOf(parts);
    layers = List.copyOf(layers);
    codecs = List.copyOf(codecs);
    shapes = List.copyOf(shapes);
    sizes = List.copyOf(sizes);
    if (runs < 1) {
      throw new IllegalArgumentException("--runs must be at least 1");
    }
  }

  /** Everything, unless the words choose. */
  static PullOptions parse(List<String> words) {
    Set<Part> parts = EnumSet.allOf(Part.class);
    List<Integer> layers = List.of(1, 6, 20);
    List<Codec> codecs = List.of(Codec.GZIP, Codec.ZSTD);
    List<Long> shapes = List.of(0L, GIGABIT);
    int runs = 5;
    List<Integer> sizes = List.of(100, 1000, 3000);
    for (int i = 0; i < words.size(); i += 2) {
      if (i + 1 == words.size()) {
        throw new IllegalArgumentException("option " + words.get(i) + " needs a value");
      }
      List<String> values = List.of(words.get(i + 1).toUpperCase(Locale.ROOT).split(",", -1));
      switch (words.get(i)) {
        case "--part" -> {
          parts = EnumSet.noneOf(Part.class);
          for (String value : values) {
            parts.add(Part.valueOf(value));
          }
        }
        case "--layers" -> layers = values.stream().map(Integer::valueOf).toList();
        case "--codec" -> codecs = values.stream().map(Codec::valueOf).toList();
        case "--shape" -> shapes = values.stream().map(PullOptions::shape).toList();
        case "--runs" -> runs = Integer.parseInt(values.getFirst());
        case "--sizes" -> sizes = values.stream().map(Integer::valueOf).toList();
        default -> throw new IllegalArgumentException("unknown option " + words.get(i));
      }
    }
    return new PullOptions(parts, layers, codecs, shapes, runs, sizes);
  }

  private static long shape(String value) {
    String text = value.toLowerCase(Locale.ROOT);
    if (text.equals(NONE)) {
      return 0;
    }
    if (!text.endsWith(GIGABITS)) {
      throw new IllegalArgumentException("no shape: " + text + "; there are none and 1gbit");
    }
    String number = text.substring(0, text.length() - GIGABITS.length());
    return Math.round(Double.parseDouble(number) * GIGABIT);
  }

  /** As it is given on the command line. */
  static String shown(long shape) {
    return shape == 0
        ? NONE
        : BigDecimal.valueOf(shape, 9).stripTrailingZeros().toPlainString() + GIGABITS;
  }
}
