package io.jcontainerd.endure;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeCheckTest {
  private static final long TIME = 1_600_000_000;

  @TempDir private Path root;
  private final SortedMap<String, Node> expected = new TreeMap<>();

  @BeforeEach
  void make() throws IOException {
    int uid = (Integer) Files.getAttribute(root, "unix:uid");
    int gid = (Integer) Files.getAttribute(root, "unix:gid");
    Files.createDirectory(root.resolve("d"));
    mode("d", "rwxr-xr-x");
    expected.put("d", Node.folder(0755, uid, gid, TIME));
    Files.writeString(root.resolve("d/f"), "some bytes");
    mode("d/f", "rw-r--r--");
    aged();
    expected.put("d/f", Node.file(0644, uid, gid, TIME, () -> "some bytes".getBytes(UTF_8)));
    Files.createSymbolicLink(root.resolve("d/s"), Path.of("f"));
    long now =
        Files.getLastModifiedTime(root.resolve("d/s"), LinkOption.NOFOLLOW_LINKS)
            .to(TimeUnit.SECONDS);
    expected.put("d/s", Node.symlink(uid, gid, now, "f"));
  }

  private void mode(String name, String mode) throws IOException {
    Files.setPosixFilePermissions(root.resolve(name), PosixFilePermissions.fromString(mode));
  }

  private void aged() throws IOException {
    Files.setLastModifiedTime(root.resolve("d/f"), FileTime.from(TIME, TimeUnit.SECONDS));
  }

  private String found() throws IOException {
    return String.join("\n", TreeCheck.differences(root, expected));
  }

  @Test
  void what_is_as_it_was_is_not_told() throws IOException {
    assertThat(found()).isEmpty();
  }

  @Test
  void a_changed_byte_is_told() throws IOException {
    Files.writeString(root.resolve("d/f"), "some bytez");
    aged();
    assertThat(found()).isEqualTo("d/f: 10 bytes, not the 10 it had, from byte 9");
  }

  @Test
  void an_emptied_file_is_told() throws IOException {
    Files.write(root.resolve("d/f"), new byte[0]);
    aged();
    assertThat(found()).isEqualTo("d/f: 0 bytes, not the 10 it had, from byte 0");
  }

  @Test
  void another_time_is_told() throws IOException {
    Files.setLastModifiedTime(root.resolve("d/f"), FileTime.from(TIME + 1, TimeUnit.SECONDS));
    assertThat(found()).isEqualTo("d/f: time 1600000001, not 1600000000");
  }

  @Test
  void another_mode_is_told() throws IOException {
    mode("d", "rwx------");
    assertThat(found()).isEqualTo("d: mode 700, not 755");
  }

  @Test
  void another_owner_is_told() throws IOException {
    Node was = Objects.requireNonNull(expected.get("d"));
    expected.put("d", Node.folder(was.mode(), was.uid() + 1, was.gid(), TIME));
    assertThat(found()).contains("d: owner ");
  }

  @Test
  void another_target_is_told() throws IOException {
    Node was = Objects.requireNonNull(expected.get("d/s"));
    expected.put("d/s", Node.symlink(was.uid(), was.gid(), was.mtime(), "elsewhere"));
    assertThat(found()).isEqualTo("d/s: target f, not elsewhere");
  }

  @Test
  void what_is_missing_and_what_is_too_much_is_told() throws IOException {
    Files.delete(root.resolve("d/s"));
    Files.createDirectory(root.resolve("more"));
    assertThat(found()).isEqualTo("more: nobody put it there\nd/s: missing");
  }

  @Test
  void another_kind_is_told() throws IOException {
    Files.delete(root.resolve("d/f"));
    Files.createDirectory(root.resolve("d/f"));
    assertThat(found()).isEqualTo("d/f: is a FOLDER, not a FILE");
  }
}
