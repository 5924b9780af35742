package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void columns_are_aligned_and_numbers_to_the_right() {
    var table = new Table("NAME", ">SIZE", "REST");
    table.add("a", "1 B", "x");
    table.add("longer", "100.0 MiB", "");
    var text = new StringWriter();
    table.print(new PrintWriter(text, true));
    assertThat(text.toString().lines())
        .containsExactly(
            "NAME         SIZE  REST", //
            "a             1 B  x",
            "longer  100.0 MiB");
  }

  @Test
  void sizes_are_told_in_the_largest_unit_that_fits() {
    assertThat(Bytes.text(0)).isEqualTo("0 B");
    assertThat(Bytes.text(1023)).isEqualTo("1023 B");
    assertThat(Bytes.text(1536)).isEqualTo("1.5 KiB");
    assertThat(Bytes.text(5L << 30)).isEqualTo("5.0 GiB");
  }
}
