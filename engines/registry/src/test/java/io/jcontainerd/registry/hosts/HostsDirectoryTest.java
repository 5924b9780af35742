package io.jcontainerd.registry.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostsDirectoryTest {
  @TempDir private Path root;

  private HostsDirectory directory() {
    return new HostsDirectory(List.of(root));
  }

  private Path folder(String name) throws IOException {
    return Files.createDirectories(root.resolve(name));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "r.example:5000 | r.example_5000_ r.example:5000 r.example _default | r.example_5000_",
        "r.example:5000 | r.example:5000 r.example _default | r.example:5000",
        "r.example:5000 | r.example _default | _default",
        "r.example:5000 | r.example | ''",
        "r.example | r.example_443_ r.example:443 | ''",
        "r.example | r.example _default | r.example",
        "r.example | _default | _default",
        "docker.io | docker.io registry-1.docker.io | docker.io",
        "docker.io | registry-1.docker.io | ''",
        "[::1]:5000 | [__1]_5000_ [::1]_5000_ | [::1]_5000_",
        "[::1] | [::1] [::1]_1_ | [::1]",
      })
  void the_first_folder_that_is_there_is_used(String registry, String folders, String found)
      throws IOException {
    for (String name : folders.split(" ", -1)) {
      folder(name);
    }
    assertThat(directory().find(registry))
        .isEqualTo(found.isEmpty() ? Optional.empty() : Optional.of(root.resolve(found)));
  }

  @Test
  void the_first_root_that_knows_the_registry_is_used() throws IOException {
    folder("a/_default");
    folder("b/r.example");
    folder("b/s.example");
    HostsDirectory both = HostsDirectory.parse(root + "/none:" + root + "/a:" + root + "/b");
    assertThat(both.find("r.example")).hasValue(root.resolve("a/_default"));
    HostsDirectory turned = HostsDirectory.parse(root + "/b:" + root + "/a");
    assertThat(turned.find("r.example")).hasValue(root.resolve("b/r.example"));
    assertThat(turned.find("t.example")).hasValue(root.resolve("a/_default"));
    assertThat(HostsDirectory.parse("")).isEqualTo(HostsDirectory.NONE);
  }

  @Test
  void a_file_in_place_of_a_folder_is_none() throws IOException {
    Files.writeString(root.resolve("r.example"), "x");
    assertThat(directory().load("r.example").config()).isEqualTo(HostsConfig.NONE);
  }

  @Test
  void paths_in_the_file_begin_at_its_folder() throws IOException {
    Path folder = folder("r.example");
    Files.writeString(folder.resolve("own.crt"), "x");
    Files.writeString(folder.resolve("hosts.toml"), "ca = \"own.crt\"");
    HostsDirectory.Loaded loaded = directory().load("r.example");
    assertThat(loaded.errors()).isEmpty();
    assertThat(loaded.warnings()).isEmpty();
    assertThat(loaded.config().source()).isEqualTo(folder.resolve("hosts.toml").toString());
    assertThat(loaded.config().root().tls().authorities())
        .containsExactly(folder.resolve("own.crt"));
  }

  @Test
  void without_a_file_the_certificates_of_the_folder_are_used() throws IOException {
    Path folder = folder("r.example");
    for (String name : List.of("b.crt", "a.crt", "c.cert", "c.key", "d.cert", "e.key", "README")) {
      Files.writeString(folder.resolve(name), "x");
    }
    HostsDirectory.Loaded loaded = directory().load("r.example");
    assertThat(loaded.config().root().tls())
        .isEqualTo(
            new TlsSettings(
                List.of(folder.resolve("a.crt"), folder.resolve("b.crt")),
                List.of(
                    new ClientCertificate(
                        folder.resolve("c.cert"), Optional.of(folder.resolve("c.key"))),
                    new ClientCertificate(
                        folder.resolve("d.cert"), Optional.of(folder.resolve("d.key")))),
                Optional.empty()));
    assertThat(loaded.warnings())
        .containsExactly(
            folder.resolve("d.cert") + ": its key " + folder.resolve("d.key") + " cannot be read");
    assertThat(loaded.errors()).isEmpty();
  }

  @Test
  void a_refused_file_is_told_and_the_certificates_are_used() throws IOException {
    Path folder = folder("r.example");
    Files.writeString(folder.resolve("hosts.toml"), "skip_verify = 1\n" + "[host.\"https://m\"]");
    Files.writeString(folder.resolve("a.crt"), "x");
    HostsDirectory.Loaded loaded = directory().load("r.example");
    assertThat(loaded.errors())
        .containsExactly(
            folder.resolve("hosts.toml")
                + " line 1: skip_verify: must be true or false, is a number");
    assertThat(loaded.config().mirrors()).isEmpty();
    assertThat(loaded.config().root().tls().authorities()).containsExactly(folder.resolve("a.crt"));
  }

  @Test
  void a_file_beyond_all_reason_is_refused() throws IOException {
    Path folder = folder("r.example");
    Files.writeString(folder.resolve("hosts.toml"), "#".repeat(1 << 20) + "\n");
    assertThat(directory().load("r.example").errors())
        .singleElement()
        .satisfies(error -> assertThat(error).contains("is longer than"));
  }

  @Test
  void a_folder_in_place_of_the_file_is_refused() throws IOException {
    folder("r.example/hosts.toml");
    assertThat(directory().load("r.example").errors())
        .singleElement()
        .satisfies(error -> assertThat(error).contains("cannot be read"));
  }
}
