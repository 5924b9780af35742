package io.jcontainerd.endure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class LiveHeapTest {
  private static final String HISTOGRAM =
      """
      4711:
       num     #instances         #bytes  class name (module)
      -------------------------------------------------------
         1:            10           %d  [B (java.base@25)
         2:             3            72  java.lang.String (java.base@25)
         3:             1          8000  [Ljdk.internal.vm.FillerElement; (java.base@25)
      Total            14           %d
      """;

  @Test
  void a_histogram_is_read_with_its_total_and_what_grew() throws IOException {
    LiveHeap before = LiveHeap.parse(HISTOGRAM.formatted(400, 8472));
    LiveHeap after = LiveHeap.parse(HISTOGRAM.formatted(1400, 9472));
    assertThat(after.bytes() - before.bytes()).isEqualTo(1000);
    assertThat(after.growthSince(before)).containsExactly("[B +1000");
  }

  @Test
  void what_is_none_is_refused() {
    assertThatThrownBy(() -> LiveHeap.parse("no such process")).isInstanceOf(IOException.class);
  }
}
