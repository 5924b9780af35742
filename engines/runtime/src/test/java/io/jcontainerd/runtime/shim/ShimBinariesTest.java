package io.jcontainerd.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShimBinariesTest {
  @TempDir Path folder;

  private Path program(String path) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    return file;
  }

  @ParameterizedTest
  @CsvSource({
    "io.containerd.runc.v2, containerd-shim-runc-v2",
    "io.containerd.kata.v2, containerd-shim-kata-v2",
    "a.b, containerd-shim-a-b"
  })
  void the_last_two_words_name_the_program(String runtime, String program) {
    assertThat(ShimBinaries.program(runtime)).isEqualTo(program);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "runc", ".runc", "bin/shim", "./shim", "io."})
  void other_names_are_no_runtimes(String runtime) {
    assertThatThrownBy(() -> ShimBinaries.program(runtime))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("invalid runtime name");
  }

  @Test
  void folders_are_searched_in_order_and_what_is_not_executable_is_passed_over() throws Exception {
    Files.createDirectories(folder.resolve("a"));
    Files.createFile(folder.resolve("a/containerd-shim-x-v1"));
    Path second = program("b/containerd-shim-x-v1");
    program("c/containerd-shim-x-v1");
    var binaries =
        new ShimBinaries(List.of(folder.resolve("a"), folder.resolve("b"), folder.resolve("c")));
    assertThat(binaries.resolve("io.x.v1")).isEqualTo(second);
    Files.delete(second);
    assertThat(binaries.resolve("io.x.v1")).isEqualTo(folder.resolve("c/containerd-shim-x-v1"));
  }

  @Test
  void an_absolute_path_is_the_program_itself() throws Exception {
    Path file = program("mine");
    var binaries = new ShimBinaries(List.of());
    assertThat(binaries.resolve(file.toString())).isEqualTo(file);
    assertThatThrownBy(() -> binaries.resolve(folder + "/none"))
        .isInstanceOf(UnknownException.class)
        .hasMessage(
            "invalid custom binary path \""
                + folder
                + "/none\": no such file or directory: install it there, or name another runtime");
  }

  @Test
  void what_is_not_installed_is_said_in_containerds_words() {
    assertThatThrownBy(() -> new ShimBinaries(List.of(folder)).resolve("io.containerd.runc.v2"))
        .isInstanceOf(UnknownException.class)
        .hasMessage(
            "runtime \"io.containerd.runc.v2\" binary not installed"
                + " \"containerd-shim-runc-v2\": file does not exist: install it in a folder of"
                + " the daemon's PATH, or name another runtime");
  }
}
