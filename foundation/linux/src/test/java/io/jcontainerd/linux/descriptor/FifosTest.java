package io.jcontainerd.linux.descriptor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor.Access;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FifosTest {
  @TempDir Path folder;

  @Test
  void a_fifo_is_told_from_a_file_and_from_nothing() throws Exception {
    Path fifo = folder.resolve("fifo");
    Fifos.create(fifo, 0600);
    assertThat(Fifos.isFifo(fifo)).isTrue();
    assertThat(Fifos.isFifo(Files.createFile(folder.resolve("file")))).isFalse();
    assertThat(Fifos.isFifo(folder.resolve("nothing"))).isFalse();
  }

  @Test
  void opened_both_ways_it_takes_bytes_without_a_reader_and_keeps_them_for_one() throws Exception {
    Path fifo = folder.resolve("fifo");
    Fifos.create(fifo, 0600);
    assertThatThrownBy(() -> OwnedDescriptor.open(fifo, Access.WRITE_NONBLOCKING))
        .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.is(Errno.ENXIO)).isTrue());
    try (OwnedDescriptor keeper = OwnedDescriptor.open(fifo, Access.READ_NONBLOCKING)) {
      try (OwnedDescriptor writer = OwnedDescriptor.open(fifo, Access.READ_WRITE)) {
        writer.write(ByteBuffer.allocateDirect(2).put("ok".getBytes(UTF_8)).flip());
      }
      try (OwnedDescriptor reader = OwnedDescriptor.open(fifo, Access.READ_NONBLOCKING)) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(16);
        assertThat(reader.read(buffer)).isEqualTo(2);
        assertThat(reader.read(buffer)).isEqualTo(-1); // no writer is left
      }
      assertThat(keeper.isClosed()).isFalse();
    }
  }

  @Test
  void a_descriptor_closed_twice_is_closed_once_and_then_refuses_use() throws Exception {
    OwnedDescriptor descriptor = OwnedDescriptor.inMemory("twice");
    descriptor.close();
    descriptor.close();
    assertThatThrownBy(descriptor::number).isInstanceOf(IllegalStateException.class);
  }
}
