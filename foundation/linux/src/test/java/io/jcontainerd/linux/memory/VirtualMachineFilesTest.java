package io.jcontainerd.linux.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualMachineFilesTest {
  private static final Path MAPS = Path.of("/proc/self/smaps");

  private static List<String> map(String head, int rss, int own) {
    return List.of(
        head,
        "Size:               1024 kB",
        "Rss:                " + rss + " kB",
        "Anonymous:          " + own + " kB",
        "VmFlags: rd mr mw me ");
  }

  @Test
  void a_map_is_read() {
    assertThat(
            MappedFile.parse(
                map("7f00a000-7f00c000 r--p 00001000 fe:00 42           /a/some file.aot", 8, 4)))
        .containsExactly(
            new MappedFile(0x7f00a000L, 0x7f00c000L, "r--p", "/a/some file.aot", 8, 4));
  }

  @Test
  void memory_without_a_file_is_left_out() {
    assertThat(MappedFile.parse(map("7f00a000-7f00c000 rw-p 00000000 00:00 0 ", 8, 8))).isEmpty();
    assertThat(MappedFile.parse(map("7f00a000-7f00c000 rw-p 00000000 00:00 0   [heap]", 8, 8)))
        .isEmpty();
  }

  private static boolean isLetGo(String permissions, String file, int own) {
    String head = "7f00a000-7f00c000 " + permissions + " 00001000 fe:00 42    " + file;
    return !VirtualMachineFiles.lasting(map(head, 8, own)).isEmpty();
  }

  @Test
  void only_what_lasts_and_is_only_read_is_let_go() {
    assertThat(isLetGo("r--p", "/opt/lib/jcontainerd.aot", 0)).isTrue();
    assertThat(isLetGo("r-xp", "/opt/runtime/lib/server/libjvm.so", 0)).isTrue();
    assertThat(isLetGo("r--p", "/opt/runtime/lib/modules", 0)).isTrue();
    assertThat(isLetGo("rw-p", "/opt/lib/jcontainerd.aot", 0)).isFalse();
    assertThat(isLetGo("r--s", "/opt/lib/jcontainerd.aot", 0)).isFalse();
    assertThat(isLetGo("r--p", "/opt/lib/jcontainerd.aot", 4)).isFalse();
    assertThat(isLetGo("r--p", "/root/store.db-shm", 0)).isFalse();
    assertThat(isLetGo("r-xp", "/usr/lib/libc.so.6", 0)).isFalse();
  }

  private static long resident() throws IOException {
    return VirtualMachineFiles.lasting(Files.readAllLines(MAPS)).stream()
        .mapToLong(MappedFile::residentKib)
        .sum();
  }

  @Test
  void what_was_let_go_comes_back_when_it_is_needed() throws IOException {
    long before = resident();
    var files = new VirtualMachineFiles();
    for (int i = 0; i < 2; i++) {
      files.letGo();
      assertThat(resident()).isLessThan(before);
    }
    // runs what was let go
    assertThat(String.format("%s %d", List.of("a", "b").reversed(), 42)).isEqualTo("[b, a] 42");
  }
}
