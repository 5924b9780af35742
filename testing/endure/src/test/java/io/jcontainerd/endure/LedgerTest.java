package io.jcontainerd.endure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  @TempDir private Path folder;

  private Ledger open() throws IOException {
    return Ledger.open(folder.resolve("ledger"));
  }

  @Test
  void what_was_answered_is_known_after_it_is_opened_again() throws IOException {
    try (Ledger ledger = open()) {
      ledger.promise("a", "1", () -> {});
      ledger.settle("b", "2");
      ledger.note("seed 7");
    }
    try (Ledger ledger = open()) {
      assertThat(ledger.known("a").surely("1")).isTrue();
      assertThat(ledger.known("b").surely("2")).isTrue();
      assertThat(ledger.notes("seed ")).containsExactly("7");
      assertThat(ledger.under("")).containsOnlyKeys("a", "b");
    }
  }

  @Test
  void what_was_not_answered_may_be_or_not() throws IOException {
    try (Ledger ledger = open()) {
      ledger.promise("a", "1", () -> {});
      assertThatThrownBy(
              () ->
                  ledger.promise(
                      "a",
                      "2",
                      () -> {
                        throw new IllegalStateException("dead");
                      }))
          .hasMessage("dead");
    }
    try (Ledger ledger = open()) {
      Ledger.Known known = ledger.known("a");
      assertThat(known.allows("1")).isTrue();
      assertThat(known.allows("2")).isTrue();
      assertThat(known.allows("")).isFalse();
      assertThat(known.surely("1")).isFalse();
    }
  }

  @Test
  void what_is_absent_is_forgotten() throws IOException {
    try (Ledger ledger = open()) {
      ledger.promise("a", "1", () -> {});
      ledger.promise("a", "", () -> {});
      assertThat(ledger.under("")).isEmpty();
      assertThat(ledger.known("a").surely("")).isTrue();
    }
  }

  @Test
  void half_a_line_is_cut_off() throws IOException {
    try (Ledger ledger = open()) {
      ledger.begin("a", "1");
    }
    Files.writeString(folder.resolve("ledger"), "done\ta", StandardOpenOption.APPEND);
    try (Ledger ledger = open()) {
      assertThat(ledger.known("a").pending()).isEqualTo("1");
      ledger.done("a");
    }
    try (Ledger ledger = open()) {
      assertThat(ledger.known("a").surely("1")).isTrue();
    }
  }
}
