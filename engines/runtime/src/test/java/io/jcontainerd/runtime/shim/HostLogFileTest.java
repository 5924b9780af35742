package io.jcontainerd.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostLogFileTest {
  @TempDir Path top;

  @Test
  void a_long_one_is_set_aside_and_its_end_is_read_without_the_rest() throws Exception {
    Path folder = top.resolve("host");
    HostLogFile log = HostLogFile.in(folder);
    assertThat(log.tail()).startsWith("no log: ");
    log.prepare();
    Files.writeString(log.path(), "x".repeat(5000) + "the end\n");
    assertThat(log.tail()).endsWith("xthe end").hasSizeLessThan(2001);
    log.prepare();
    assertThat(log.path()).exists();
    Files.writeString(log.path(), "y".repeat((1 << 20) + 1));
    log.prepare();
    assertThat(log.path()).doesNotExist();
    assertThat(folder.resolve("log.1")).hasSize((1 << 20) + 1);
  }
}
