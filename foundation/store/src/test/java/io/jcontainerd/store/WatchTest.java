package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchTest {
  private static final Schema SCHEMA =
      new Schema(
          "room",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE seen(a TEXT PRIMARY KEY, b INTEGER, c TEXT) WITHOUT ROWID",
                  "CREATE TABLE unseen(a TEXT)")),
          List.of(new Schema.Watched("seen", List.of("a", "b"))));

  @TempDir Path folder;

  private Store open() {
    return Store.open(folder.resolve("test.db"), StoreOptions.DEFAULTS, List.of(SCHEMA));
  }

  private static List<@Nullable String> row(@Nullable String... values) {
    return Arrays.asList(values);
  }

  @Test
  void every_way_to_write_a_row_is_shown_and_nothing_else() {
    List<List<@Nullable String>> shown = new ArrayList<>();
    try (Store store = open()) {
      store.change(tx -> tx.update("INSERT INTO seen VALUES ('before', 1, '')"));
      Store.Watch watch = store.watch("seen", shown::add);
      store.change(tx -> tx.update("INSERT INTO seen VALUES ('x', 1, ''), ('y', NULL, '')"));
      store.change(tx -> tx.update("UPDATE seen SET b = b + 1 WHERE b IS NOT NULL"));
      store.change(tx -> tx.update("INSERT OR REPLACE INTO seen VALUES ('x', 5, '')"));
      store.change(
          tx ->
              tx.update(
                  "INSERT INTO seen VALUES ('y', 6, '') ON CONFLICT(a) DO UPDATE SET b = excluded.b"));
      store.change(tx -> tx.update("INSERT OR IGNORE INTO seen VALUES ('y', 7, '')"));
      store.change(tx -> tx.update("DELETE FROM seen WHERE a = 'x'"));
      store.change(tx -> tx.update("INSERT INTO unseen VALUES ('z')"));
      watch.close();
      store.change(tx -> tx.update("INSERT INTO seen VALUES ('after', 1, '')"));
    }
    assertThat(shown)
        .containsExactlyInAnyOrder(
            row("x", "1"),
            row("y", null),
            row("before", "2"),
            row("x", "2"),
            row("x", "5"),
            row("y", "6"));
  }

  @Test
  void what_comes_to_nothing_is_shown_too_and_the_file_knows_nothing_of_it() {
    List<List<@Nullable String>> shown = new ArrayList<>();
    try (Store store = open()) {
      Store.Watch _ = store.watch("seen", shown::add);
      assertThatThrownBy(() -> store.watch("seen", _ -> {}))
          .hasMessageContaining("seen is watched already");
      assertThatThrownBy(
              () ->
                  store.change(
                      tx -> {
                        tx.update("INSERT INTO seen VALUES ('x', 1, '')");
                        throw new IllegalStateException("no");
                      }))
          .hasMessage("no");
      assertThat(shown).containsExactly(row("x", "1"));
      assertThatThrownBy(() -> store.watch("unseen", shown::add))
          .hasMessageContaining("unseen is not declared");
      assertThat(
              store.<Long>read(
                  tx -> tx.number("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")))
          .isZero();
    }
    try (Store store = open()) {
      store.change(tx -> tx.update("INSERT INTO seen VALUES ('x', 1, '')"));
    }
    assertThat(shown).hasSize(1);
  }

  @Test
  void behind_a_fence_lies_what_was_asked_for_before() throws Exception {
    try (Store store = open()) {
      long commits = store.stats().commits();
      Thread writer =
          Thread.ofVirtual()
              .start(() -> store.change(tx -> tx.update("INSERT INTO seen VALUES ('x', 1, '')")));
      long begun = System.nanoTime();
      while (store.stats().commits() == commits && store.stats().queueDepth() == 0) {
        assertThat(System.nanoTime() - begun).as("time").isLessThan(90_000_000_000L);
        Thread.onSpinWait();
      }
      store.fence();
      assertThat(store.<Boolean>read(tx -> tx.exists("SELECT 1 FROM seen"))).isTrue();
      writer.join();
    }
  }
}
