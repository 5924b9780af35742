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

class RootFolderTest {
  @TempDir Path folder;

  @Test
  void it_is_made_for_its_owner_alone() throws IOException {
    try (RootFolder root = RootFolder.take(folder.resolve("a/b"))) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.path())))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void one_daemon_at_a_time_has_it() throws IOException {
    try (RootFolder first = RootFolder.take(folder)) {
      assertThatThrownBy(() -> RootFolder.take(first.path()))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining("root " + folder + " is in use by another jcontainerd");
    }
    RootFolder.take(folder).close();
  }

  @Test
  void one_that_belongs_to_containerd_is_refused_and_not_written_to() throws IOException {
    Path database = folder.resolve("io.containerd.metadata.v1.bolt/meta.db");
    Files.createDirectories(database.getParent());
    Files.writeString(database, "bolt");
    assertThatThrownBy(() -> RootFolder.take(folder))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageStartingWith("root " + folder + " belongs to containerd");
    try (var files = Files.walk(folder)) {
      assertThat(files.toList()).containsExactlyInAnyOrder(folder, database.getParent(), database);
    }
    assertThat(database).hasContent("bolt");
  }

  @Test
  void one_with_both_databases_is_ours() throws IOException {
    Path database = folder.resolve("io.containerd.metadata.v1.bolt/meta.db");
    Files.createDirectories(database.getParent());
    Files.writeString(database, "bolt");
    Files.createDirectories(folder.resolve(RootFolder.STORE).getParent());
    Files.writeString(folder.resolve(RootFolder.STORE), "");
    RootFolder.take(folder).close();
  }

  @Test
  void one_that_cannot_be_a_folder_is_refused_in_a_sentence() throws IOException {
    Path file = folder.resolve("file");
    Files.writeString(file, "");
    assertThatThrownBy(() -> RootFolder.take(file.resolve("root")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("cannot be used");
  }
}
