package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LayerLimitsTest {
  @Test
  void what_is_remembered_of_folders_follows_the_limit_of_entries() {
    assertThat(LayerLimits.USUAL.folderBytes()).isEqualTo(16 << 20);
    assertThat(new LayerLimits(0, 0, 10).folderBytes()).as("at least").isEqualTo(16 << 20);
    assertThat(new LayerLimits(0, 0, 10_000_000).folderBytes()).isEqualTo(160_000_000);
    assertThat(LayerLimits.NONE.folderBytes()).isGreaterThan(2_000_000_000);
    assertThat(new LayerLimits(0, 0, Long.MAX_VALUE).folderBytes()).isGreaterThan(2_000_000_000);
  }
}
