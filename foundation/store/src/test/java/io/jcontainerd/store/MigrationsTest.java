package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
  private static final Schema.Step ONE =
      Schema.Step.of("CREATE TABLE t(a TEXT)", "INSERT INTO t VALUES ('kept')");
  private static final Schema.Step TWO = Schema.Step.of("ALTER TABLE t ADD COLUMN b TEXT");

  @TempDir Path folder;

  private Store open(Schema... schemas) {
    return Store.open(folder.resolve("test.db"), StoreOptions.DEFAULTS, List.of(schemas));
  }

  @Test
  void only_missing_steps_are_done() {
    open(new Schema("room", List.of(ONE))).close();
    open(new Schema("room", List.of(ONE))).close();
    try (Store store = open(new Schema("room", List.of(ONE, TWO)))) {
      List<String> rows =
          store.read(tx -> tx.all("SELECT a, b FROM t", r -> r.text(0) + r.isNull(1)));
      assertThat(rows).containsExactly("kepttrue");
    }
  }

  @Test
  void rooms_are_counted_apart() {
    Schema other = new Schema("other", List.of(Schema.Step.of("CREATE TABLE o(a TEXT)")));
    open(new Schema("room", List.of(ONE))).close();
    try (Store store = open(new Schema("room", List.of(ONE)), other)) {
      assertThat(store.<Boolean>read(tx -> tx.exists("SELECT 1 FROM o"))).isFalse();
    }
  }

  @Test
  void a_newer_store_is_refused_and_not_touched() {
    open(new Schema("room", List.of(ONE, TWO))).close();
    assertThatThrownBy(() -> open(new Schema("room", List.of(ONE))))
        .hasMessageContaining(
            "written by a newer version (room is at step 2, this version knows 1)");
    open(new Schema("room", List.of(ONE, TWO))).close();
  }

  @Test
  void a_failing_step_leaves_nothing_of_any_room() {
    Schema broken =
        new Schema("room", List.of(ONE, Schema.Step.of("CREATE TABLE u(a TEXT)", "NONSENSE")));
    assertThatThrownBy(() -> open(broken)).hasMessageContaining("NONSENSE");
    try (Store store = open(new Schema("room", List.of(ONE)))) {
      assertThat(store.<Long>read(tx -> tx.number("SELECT count(*) FROM t"))).isEqualTo(1);
    }
  }

  @Test
  void another_programs_database_is_left_alone() {
    Path file = folder.resolve("test.db");
    open().close();
    try (Session session = Session.open(file, false)) {
      session.execute("PRAGMA application_id=77");
    }
    assertThatThrownBy(() -> open(new Schema("room", List.of(ONE))))
        .hasMessageContaining("another program's database");
  }

  @Test
  void another_programs_database_is_not_even_converted() throws Exception {
    open().close(); // provides the native library
    Path file = folder.resolve("theirs.db");
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        var statement = connection.createStatement()) {
      statement.execute("CREATE TABLE theirs(a TEXT)");
    }
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(() -> Store.open(file, StoreOptions.DEFAULTS, List.of()))
        .hasMessageContaining("another program's database");
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(folder.resolve("theirs.db-wal")).doesNotExist();
    assertThat(folder.resolve("theirs.db-shm")).doesNotExist();
  }
}
