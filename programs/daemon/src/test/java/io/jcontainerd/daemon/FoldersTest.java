package io.jcontainerd.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {
  @TempDir Path folder;

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void a_folder_that_others_use_keeps_its_mode() throws IOException {
    Path shared = folder.resolve("tmp");
    Files.createDirectory(shared);
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    Folders.make(shared, "rwx------");
    assertThat(mode(shared)).isEqualTo("rwxrwxrwx");
    Folders.make(folder.resolve("new/tmp"), "rwx------");
    assertThat(mode(folder.resolve("new/tmp"))).isEqualTo("rwx------");
  }

  @Test
  void a_folder_of_our_own_gets_its_mode_again() throws IOException {
    Path own = folder.resolve("root");
    Files.createDirectory(own);
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"));
    Folders.own(own, "rwx------");
    assertThat(mode(own)).isEqualTo("rwx------");
  }
}
