package io.jcontainerd.testkit.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Files.Handle;
import io.jcontainerd.core.ports.Files.Open;
import io.jcontainerd.testkit.contract.FilesContract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class InMemoryFilesTest extends FilesContract {
  private final InMemoryFiles files = new InMemoryFiles();

  @Override
  protected Files files() {
    return files;
  }

  @Override
  protected Path root() {
    return Path.of("/");
  }

  private void write(Handle handle, String text) throws IOException {
    handle.write(StandardCharsets.UTF_8.encode(text), 0);
  }

  private String after(Survival survival, String name) throws IOException {
    InMemoryFiles after = files.afterPowerCut(survival);
    return after.stat(Path.of(name)).isEmpty()
        ? "nothing"
        : new String(after.readAll(Path.of(name)), StandardCharsets.UTF_8).replace('\0', '0');
  }

  @Test
  void a_power_cut_takes_what_was_not_forced() throws IOException {
    try (Handle handle = files.open(Path.of("/f"), Open.CREATE_NEW, 0600)) {
      write(handle, "one");
      assertThat(after(Survival.ALL, "/f")).isEqualTo("one");
      assertThat(after(Survival.ONLY_FORCED, "/f")).isEqualTo("nothing");
      assertThat(after(Survival.NAMES_WITHOUT_BYTES, "/f")).isEqualTo("000");
      files.forceDirectory(Path.of("/"));
      assertThat(after(Survival.ONLY_FORCED, "/f")).isEmpty();
      handle.force();
      assertThat(after(Survival.ONLY_FORCED, "/f")).isEqualTo("one");
      write(handle, "two!");
      assertThat(after(Survival.ONLY_FORCED, "/f")).isEqualTo("one");
      assertThat(after(Survival.BYTES_WITHOUT_NAMES, "/f")).isEqualTo("two!");
    }
    files.rename(Path.of("/f"), Path.of("/g"));
    assertThat(after(Survival.BYTES_WITHOUT_NAMES, "/f")).isEqualTo("two!");
    assertThat(after(Survival.BYTES_WITHOUT_NAMES, "/g")).isEqualTo("nothing");
    files.forceAll();
    for (Survival survival : Survival.values()) {
      assertThat(after(survival, "/g")).isEqualTo("two!");
      assertThat(after(survival, "/f")).isEqualTo("nothing");
    }
    assertThat(files.openHandles()).isZero();
  }

  @Test
  void a_broken_force_loses_what_it_was_to_save_and_the_next_one_succeeds() throws IOException {
    try (Handle handle = files.open(Path.of("/f"), Open.CREATE_NEW, 0600)) {
      write(handle, "one");
      handle.force();
      write(handle, "two!");
      files.breakForce(1);
      assertThatThrownBy(handle::force).hasMessageContaining("input/output error");
      handle.force();
      assertThat(files.readAll(Path.of("/f"))).asString().isEqualTo("one\0");
      write(handle, "three");
      files.loseUnforced(Path.of("/"));
      assertThat(files.readAll(Path.of("/f"))).asString().isEqualTo("one\0\0");
    }
  }
}
