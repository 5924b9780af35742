package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Files.Handle;
import io.jcontainerd.core.ports.Files.Open;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What any {@link Files} owes the engines. */
public abstract class FilesContract {
  /** For subclasses. */
  protected FilesContract() {}

  /** The files under test. */
  protected abstract Files files();

  /** An empty folder of them. */
  protected abstract Path root();

  private Path at(String name) {
    return root().resolve(name);
  }

  private void write(String name, String text) throws IOException {
    try (Handle handle = files().open(at(name), Open.CREATE, 0644)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        handle.write(bytes, bytes.position());
      }
    }
  }

  private String text(String name) throws IOException {
    return new String(files().readAll(at(name)), StandardCharsets.UTF_8);
  }

  private FileStat stat(String name) throws IOException {
    return files().stat(at(name)).orElseThrow();
  }

  @Test
  void files_are_opened_as_asked() throws IOException {
    for (Open how : new Open[] {Open.READ, Open.WRITE}) {
      assertThatThrownBy(() -> files().open(at("f"), how, 0600).close())
          .isInstanceOf(NoSuchFileException.class);
    }
    files().open(at("f"), Open.CREATE_NEW, 0640).close();
    assertThat(stat("f").mode()).isEqualTo(0640);
    assertThat(stat("f").type()).isEqualTo(FileStat.Type.REGULAR);
    assertThatThrownBy(() -> files().open(at("f"), Open.CREATE_NEW, 0600).close())
        .isInstanceOf(FileAlreadyExistsException.class);
    write("f", "text");
    files().open(at("f"), Open.CREATE, 0600).close();
    files().open(at("f"), Open.WRITE, 0600).close();
    assertThat(text("f")).isEqualTo("text");
    assertThat(stat("f").mode()).isEqualTo(0640);
    assertThatThrownBy(() -> files().open(at("no/f"), Open.CREATE, 0600).close())
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void bytes_are_where_they_were_put() throws IOException {
    try (Handle handle = files().open(at("f"), Open.CREATE_NEW, 0600)) {
      ByteBuffer bytes = ByteBuffer.wrap(new byte[] {1, 2, 3});
      assertThat(handle.write(bytes, 5)).isEqualTo(3);
      assertThat(bytes.hasRemaining()).isFalse();
      assertThat(handle.size()).isEqualTo(8);
      ByteBuffer all = ByteBuffer.allocate(20);
      assertThat(handle.read(all, 0)).isEqualTo(8);
      assertThat(all.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {0, 0, 0, 0, 0, 1, 2, 3}));
      assertThat(handle.read(ByteBuffer.allocate(4), 8)).isEqualTo(-1);
      assertThat(handle.read(ByteBuffer.allocate(4), 80)).isEqualTo(-1);
      handle.truncate(6);
      handle.truncate(7);
      assertThat(handle.size()).isEqualTo(7);
      handle.force();
      ByteBuffer end = ByteBuffer.allocateDirect(2);
      assertThat(handle.read(end, 5)).isEqualTo(2);
      assertThat(end.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 0}));
    }
  }

  @Test
  void a_handle_for_reading_does_not_write() throws IOException {
    write("f", "text");
    try (Handle handle = files().open(at("f"), Open.READ, 0)) {
      assertThatThrownBy(() -> handle.write(ByteBuffer.wrap(new byte[1]), 0))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(() -> handle.truncate(0)).isInstanceOf(IOException.class);
    }
    assertThat(text("f")).isEqualTo("text");
  }

  @Test
  void a_handle_outlives_the_name() throws IOException {
    write("f", "text");
    try (Handle handle = files().open(at("f"), Open.READ, 0)) {
      files().delete(at("f"));
      ByteBuffer all = ByteBuffer.allocate(4);
      assertThat(handle.read(all, 0)).isEqualTo(4);
    }
    assertThat(files().stat(at("f"))).isEmpty();
  }

  @Test
  void folders_are_made_listed_and_removed() throws IOException {
    files().createDirectory(at("d"), 0711);
    assertThat(stat("d").isDirectory()).isTrue();
    assertThat(stat("d").mode()).isEqualTo(0711);
    assertThatThrownBy(() -> files().createDirectory(at("d"), 0711))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> files().createDirectory(at("x/y"), 0711))
        .isInstanceOf(NoSuchFileException.class);
    files().createDirectories(at("d/e/f"), 0700);
    files().createDirectories(at("d/e/f"), 0755);
    assertThat(stat("d/e").mode()).isEqualTo(0700);
    write("d/b", "");
    write("d/a", "");
    assertThat(files().list(at("d"))).containsExactly("a", "b", "e");
    assertThatThrownBy(() -> files().delete(at("d")))
        .isInstanceOf(DirectoryNotEmptyException.class);
    files().deleteTree(at("d"));
    assertThat(files().list(root())).isEmpty();
    for (String missing : new String[] {"d", "x/y"}) {
      assertThatThrownBy(() -> files().delete(at(missing))).isInstanceOf(NoSuchFileException.class);
      assertThatThrownBy(() -> files().deleteTree(at(missing)))
          .isInstanceOf(NoSuchFileException.class);
      assertThatThrownBy(() -> files().list(at(missing))).isInstanceOf(NoSuchFileException.class);
      assertThatThrownBy(() -> files().forceDirectory(at(missing)))
          .isInstanceOf(NoSuchFileException.class);
    }
    write("f", "");
    assertThatThrownBy(() -> files().createDirectories(at("f"), 0755))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void a_rename_replaces_and_a_new_one_does_not() throws IOException {
    write("a", "a");
    write("b", "b");
    assertThatThrownBy(() -> files().renameNew(at("a"), at("b")))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(text("b")).isEqualTo("b");
    files().rename(at("a"), at("b"));
    assertThat(text("b")).isEqualTo("a");
    assertThat(files().list(root())).containsExactly("b");
    files().renameNew(at("b"), at("c"));
    assertThat(text("c")).isEqualTo("a");
    assertThatThrownBy(() -> files().rename(at("none"), at("d")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> files().renameNew(at("none"), at("c")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> files().renameNew(at("c"), at("no/where")))
        .isInstanceOf(NoSuchFileException.class);
    files().createDirectory(at("d"), 0755);
    write("d/inner", "x");
    files().renameNew(at("d"), at("e"));
    assertThat(text("e/inner")).isEqualTo("x");
  }

  @Test
  void links_are_names_of_one_file_and_symlinks_are_not_followed() throws IOException {
    write("f", "text");
    files().link(at("g"), at("f"));
    assertThat(stat("g").links()).isEqualTo(2);
    assertThat(stat("g").inode()).isEqualTo(stat("f").inode());
    files().delete(at("f"));
    assertThat(stat("g").links()).isEqualTo(1);
    assertThatThrownBy(() -> files().link(at("g"), at("g")))
        .isInstanceOf(FileAlreadyExistsException.class);
    files().symlink(at("s"), "g");
    assertThat(stat("s").type()).isEqualTo(FileStat.Type.SYMLINK);
    assertThatThrownBy(() -> files().open(at("s"), Open.READ, 0).close())
        .isInstanceOf(IOException.class);
    files().delete(at("s"));
    assertThat(text("g")).isEqualTo("text");
  }

  @Test
  void properties_are_set_exactly() throws IOException {
    write("f", "text");
    files().setMode(at("f"), 06751);
    assertThat(stat("f").mode()).isEqualTo(06751);
    Instant time = Instant.parse("2001-02-03T04:05:06.123456789Z");
    files().setModified(at("f"), time);
    assertThat(stat("f").modified()).isEqualTo(time);
    assertThat(stat("f").size()).isEqualTo(4);
    for (String what : new String[] {"mode", "time", "owner"}) {
      assertThatThrownBy(
              () -> {
                switch (what) {
                  case "mode" -> files().setMode(at("none"), 0600);
                  case "time" -> files().setModified(at("none"), time);
                  default -> files().setOwner(at("none"), -1, -1);
                }
              })
          .isInstanceOf(NoSuchFileException.class);
    }
  }

  @Test
  void a_small_file_is_replaced_as_a_whole() throws IOException {
    files().writeAll(at("f"), "one".getBytes(StandardCharsets.UTF_8), 0600);
    files().writeAll(at("f"), "two".getBytes(StandardCharsets.UTF_8), 0640);
    assertThat(text("f")).isEqualTo("two");
    assertThat(stat("f").mode()).isEqualTo(0640);
    assertThat(files().list(root())).containsExactly("f");
    assertThat(files().stat(at("missing"))).isEqualTo(Optional.empty());
    assertThat(files().stat(at("f/below"))).isEqualTo(Optional.empty());
  }
}
