package io.jcontainerd.testkit.leaks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class LeakCheckTest {
  /** For what does not go. */
  private static final Duration SHORT = Duration.ofMillis(300);

  @TempDir Path scratch;

  @Test
  void nothing_left_is_fine() throws Exception {
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-none");
    Path file = Files.createFile(scratch.resolve("file"));
    Files.delete(file);
    check.assertNothingLeft();
  }

  @Test
  void a_file_is_found() throws Exception {
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-file");
    Files.createFile(scratch.resolve("left"));
    assertThatThrownBy(check::assertNothingLeft)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("file " + scratch.resolve("left"));
  }

  @Test
  void a_process_is_found() throws Exception {
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-process", SHORT);
    Process process = new ProcessBuilder("sleep", "60").start();
    try {
      assertThatThrownBy(check::assertNothingLeft)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("process " + process.pid());
    } finally {
      process.destroyForcibly().waitFor();
    }
    check.assertNothingLeft();
  }

  @Test
  void open_files_are_found() throws Exception {
    Path file = Files.createFile(scratch.resolve("file"));
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-open", SHORT);
    var open = new ArrayList<FileChannel>();
    for (int i = 0; i < 20; i++) {
      open.add(FileChannel.open(file));
    }
    try {
      assertThatThrownBy(check::assertNothingLeft).hasMessageContaining("more open files");
    } finally {
      for (FileChannel channel : open) {
        channel.close();
      }
    }
  }

  @Test
  @Tag("root")
  void a_mount_is_found() throws Exception {
    Path place = Files.createDirectory(scratch.resolve("place"));
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-mount");
    run("mount", "-t", "tmpfs", "tmpfs", place.toString());
    try {
      assertThatThrownBy(check::assertNothingLeft)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("mount " + place);
    } finally {
      run("umount", place.toString());
    }
    check.assertNothingLeft();
  }

  @Test
  @Tag("root")
  void a_loop_device_is_found() throws Exception {
    Path file = scratch.resolve("image");
    Files.write(file, new byte[1 << 20]);
    LeakCheck check = LeakCheck.begin(scratch, "jc-leak-loop", SHORT);
    Process losetup = new ProcessBuilder("losetup", "-f", "--show", file.toString()).start();
    String device = new String(losetup.getInputStream().readAllBytes(), UTF_8).strip();
    try {
      assertThatThrownBy(check::assertNothingLeft)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("loop device")
          .hasMessageContaining(file.toString());
    } finally {
      run("losetup", "-d", device);
    }
    check.assertNothingLeft();
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}
