package io.jcontainerd.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFolderTest {
  @TempDir Path folder;

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void it_is_made_so_that_others_may_pass_through() throws IOException {
    try (StateFolder state = StateFolder.take(folder.resolve("a/b"))) {
      assertThat(mode(state.path())).isEqualTo("rwx--x--x");
    }
  }

  @Test
  void one_daemon_at_a_time_has_it() throws IOException {
    try (StateFolder first = StateFolder.take(folder)) {
      assertThatThrownBy(() -> StateFolder.take(first.path()))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessage(
              "state "
                  + folder
                  + " is in use by another jcontainerd; stop that one or choose another --state");
    }
    StateFolder.take(folder).close();
  }

  @Test
  void tasks_that_no_daemon_of_ours_made_are_not_touched() throws IOException {
    Path bundle = folder.resolve("io.containerd.runtime.v2.task/default/c-1");
    Files.createDirectories(bundle);
    String before = mode(folder);
    assertThatThrownBy(() -> StateFolder.take(folder))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageStartingWith("state " + folder + " belongs to containerd");
    assertThat(bundle).isEmptyDirectory();
    assertThat(folder.resolve("jcontainerd.lock")).doesNotExist();
    assertThat(mode(folder)).isEqualTo(before);
  }

  @Test
  void tasks_of_an_earlier_run_of_ours_are_no_hindrance() throws IOException {
    StateFolder.take(folder).close();
    Files.createDirectories(folder.resolve("io.containerd.runtime.v2.task/default/c-1"));
    StateFolder.take(folder).close();
  }

  @Test
  void a_folder_of_tasks_without_any_is_no_hindrance() throws IOException {
    Files.createDirectories(folder.resolve("io.containerd.runtime.v2.task/default"));
    StateFolder.take(folder).close();
  }
}
