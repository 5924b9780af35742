package io.jcontainerd.core.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FileSumTest {
  private static long sum(byte[] bytes) {
    FileSum sum = new FileSum();
    sum.add(ByteBuffer.wrap(bytes));
    return sum.value();
  }

  @Test
  void every_flipped_bit_gives_another_sum() {
    byte[] bytes = new byte[512];
    new Random(1).nextBytes(bytes);
    Set<Long> sums = new HashSet<>();
    sums.add(sum(bytes));
    for (int bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      sums.add(sum(bytes));
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
    }
    assertThat(sums).hasSize(1 + 8 * bytes.length);
  }

  @Test
  void pieces_and_kinds_of_buffers_do_not_matter_and_positions_stay() {
    byte[] bytes = new byte[1000];
    new Random(2).nextBytes(bytes);
    FileSum sum = new FileSum();
    ByteBuffer direct = ByteBuffer.allocateDirect(700).put(bytes, 0, 700).flip();
    sum.add(direct);
    sum.add(ByteBuffer.wrap(bytes, 700, 300));
    assertThat(direct.position()).isZero();
    assertThat(sum.value()).isEqualTo(sum(bytes));
    sum.reset();
    assertThat(sum.value()).isEqualTo(sum(new byte[0]));
  }
}
