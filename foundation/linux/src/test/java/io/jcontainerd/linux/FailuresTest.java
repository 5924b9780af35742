package io.jcontainerd.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.ports.DamagedFileException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FailuresTest {
  private static final Path FILE = Path.of("/a/file");
  private static final int EMFILE = 24;

  private static IOException told(int errno) {
    return Failures.told(new ErrnoException("pread", "a file", errno), FILE);
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EIO, Errno.EUCLEAN, Errno.EBADMSG})
  void what_the_disk_lost_is_damaged(int errno) {
    assertThat(told(errno))
        .isInstanceOf(DamagedFileException.class)
        .hasMessageContaining(FILE.toString())
        .hasMessageContaining(Errno.text(errno));
  }

  @ParameterizedTest
  @ValueSource(ints = {EMFILE, Errno.ENOMEM, Errno.EACCES, Errno.ESTALE})
  void what_cannot_be_read_for_now_is_not(int errno) {
    assertThat(told(errno)).isNotInstanceOf(DamagedFileException.class);
  }
}
