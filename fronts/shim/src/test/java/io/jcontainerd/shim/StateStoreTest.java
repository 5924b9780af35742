package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateStoreTest {
  @TempDir Path folder;

  @Test
  void nothing_is_left_of_a_state_folder_that_is_removed() throws Exception {
    Path state = Files.createDirectory(folder.resolve("state"));
    StateStore store = StateStore.open(state);
    for (String name : List.of("log", "log.1", "cgroup", "serving", "expected", "lock")) {
      Files.createFile(state.resolve(name));
    }
    store.remove();
    assertThat(state).doesNotExist();
  }

  @Test
  void a_record_that_was_set_aside_keeps_the_folder() throws Exception {
    StateStore store = StateStore.open(folder);
    Path bad = Files.createDirectories(folder.resolve("containers/ns")).resolve("c.json.bad");
    Files.createFile(bad);
    store.remove();
    assertThat(bad).exists();
  }
}
