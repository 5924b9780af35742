package io.jcontainerd.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IsalTest {
  @Test
  void releases_whose_structures_are_known_are_told_by_the_name_of_the_file() {
    assertThat(Isal.release("/usr/lib/x86_64-linux-gnu/libisal.so.2.0.30")).contains("2.30");
    assertThat(Isal.release("/usr/lib64/libisal.so.2.0.31")).contains("2.31");
    assertThat(Isal.release("/usr/lib/libisal.so.2.32.1")).contains("2.32");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/usr/lib/libisal.so.2",
        "/usr/lib/libisal.so.2.0.29",
        "/usr/lib/libisal.so.2.0.33",
        "/usr/lib/libisal.so.2.0.300",
        "/usr/lib/libisal.so.3.0.31",
        "/usr/lib/libisal.so.2.0.31 (deleted)",
        "/usr/lib/notlibisal.so.2.0.31",
      })
  void others_are_not_used(String file) {
    assertThat(Isal.release(file)).isEmpty();
  }

  @Test
  void it_can_be_switched_off() {
    Isal off = Isal.find("1");
    assertThat(off.isUsable()).isFalse();
    assertThat(off.inflater()).isEmpty();
    assertThat(off).hasToString("CONTAINERD_DISABLE_IGZIP is set");
    assertThat(Isal.find("false")).hasToString(Isal.find(null).toString());
  }

  @Test
  void what_is_found_is_told() {
    Isal isal = Isal.find(null);
    assertThat(isal.toString()).matches(isal.isUsable() ? "ISA-L 2\\.3[0-2]" : ".*libisal.*");
    assertThat(isal.inflater().isPresent()).isEqualTo(isal.isUsable());
    isal.inflater().ifPresent(IsalInflater::close);
  }

  @Test
  void a_library_of_a_known_release_is_used() throws IOException {
    assumeTrue(isInstalled(), "no ISA-L of a known release");
    assertThat(Isal.find(null).isUsable()).as(Isal.find(null).toString()).isTrue();
  }

  private static boolean isInstalled() throws IOException {
    Path libraries = Path.of("/usr/lib");
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(libraries, "*-linux-gnu*")) {
      for (Path folder : folders) {
        Path library = folder.resolve("libisal.so.2");
        if (Files.exists(library) && Isal.release(library.toRealPath().toString()).isPresent()) {
          return true;
        }
      }
    }
    return false;
  }
}
