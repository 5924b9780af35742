package io.jcontainerd.crash.disk;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.crash.disk.Disk.Part;
import io.jcontainerd.testkit.files.InMemoryFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PendingTest {
  private static final Path A = Path.of("/a");
  private static final Path B = Path.of("/b");

  private final InMemoryFiles real = new InMemoryFiles();
  private final Recording recording = new Recording();
  private final Files files = new RecordingFiles(real, recording);
  private Disk base;

  @BeforeEach
  void begin() throws IOException {
    real.createDirectory(A, 0755);
    real.createDirectory(B, 0755);
    base = Disk.of(real);
  }

  private Pending passed() throws IOException {
    Pending pending = new Pending(base.copy());
    recording.entries().forEach(entry -> pending.pass((Op) entry.step()));
    return pending;
  }

  private static Files.Handle write(Files files, Path file, String text) throws IOException {
    Files.Handle handle = files.open(file, Files.Open.CREATE_NEW, 0644);
    handle.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
    return handle;
  }

  private static String read(Disk disk, String file) throws IOException {
    return new String(disk.files().readAll(Path.of(file)), StandardCharsets.UTF_8);
  }

  @Test
  void what_was_not_forced_is_pending_and_in_order() throws IOException {
    write(files, A.resolve("f"), "text").close();
    Pending pending = passed();
    assertThat(pending.durable().files().tree()).containsExactly("/a/", "/b/");
    assertThat(pending.ops()).hasExactlyElementsOfTypes(Op.Name.class, Op.Write.class);
  }

  @Test
  void bytes_and_names_become_durable_apart_from_each_other() throws IOException {
    try (Files.Handle handle = write(files, A.resolve("f"), "text")) {
      handle.force();
      assertThat(passed().durable().files().tree()).containsExactly("/a/", "/b/");
      files.forceDirectory(A);
      assertThat(read(passed().durable(), "/a/f")).isEqualTo("text");
      handle.write(ByteBuffer.wrap(new byte[] {'T'}), 0);
    }
    assertThat(read(passed().durable(), "/a/f")).isEqualTo("text");
    assertThat(passed().ops()).hasSize(1);
  }

  @Test
  void a_name_forced_without_bytes_is_an_empty_file() throws IOException {
    write(files, A.resolve("f"), "text").close();
    files.forceDirectory(A);
    assertThat(read(passed().durable(), "/a/f")).isEmpty();
  }

  @Test
  void a_move_to_another_folder_may_leave_the_old_name_until_its_folder_is_forced()
      throws IOException {
    write(files, A.resolve("f"), "text").close();
    files.forceDirectory(A);
    files.renameNew(A.resolve("f"), B.resolve("g"));
    Pending moved = passed();
    Op move = moved.ops().getLast();
    assertThat(Disk.parts(move)).containsExactly(Part.NONE, Part.WHOLE, Part.HALF);
    assertThat(moved.durable().files().tree()).containsExactly("/a/", "/a/f", "/b/");
    files.forceDirectory(B);
    Pending forced = passed();
    assertThat(forced.durable().files().tree()).containsExactly("/a/", "/a/f", "/b/", "/b/g");
    assertThat(forced.ops().getLast()).isInstanceOf(Op.Unname.class);
    files.forceDirectory(A);
    assertThat(passed().durable().files().tree()).containsExactly("/a/", "/b/", "/b/g");
  }

  @Test
  void a_write_is_torn_at_sectors() throws IOException {
    write(files, A.resolve("f"), "x".repeat(1200)).close();
    Op write = passed().ops().getLast();
    assertThat(Disk.parts(write)).isEqualTo(Part.values());
    for (Part part : List.of(Part.EVEN, Part.ODD, Part.HALF)) {
      Disk disk = passed().durable();
      passed().ops().forEach(op -> disk.apply(op, op.equals(write) ? part : Part.WHOLE));
      String zeros = "\0".repeat(512);
      String there = "x".repeat(512);
      assertThat(disk.files().readAll(A.resolve("f"))).hasSize(1200);
      assertThat(read(disk, "/a/f"))
          .startsWith(
              switch (part) {
                case EVEN -> there + zeros + "x";
                case ODD -> zeros + there + "\0";
                default -> zeros + zeros + "\0";
              });
    }
  }

  @Test
  void removing_a_tree_is_recorded_name_by_name() throws IOException {
    real.createDirectory(A.resolve("d"), 0755);
    write(real, A.resolve("d/one"), "1").close();
    write(real, A.resolve("d/two"), "2").close();
    base = Disk.of(real);
    files.deleteTree(A.resolve("d"));
    assertThat(passed().ops()).hasSize(3).allMatch(Op.Unname.class::isInstance);
  }

  @Test
  void synchronising_the_file_system_makes_all_durable() throws IOException {
    write(files, A.resolve("f"), "text").close();
    recording.add(new Op.ForceAll());
    assertThat(passed().ops()).isEmpty();
    assertThat(read(passed().durable(), "/a/f")).isEqualTo("text");
  }
}
