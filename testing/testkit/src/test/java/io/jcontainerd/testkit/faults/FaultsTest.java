package io.jcontainerd.testkit.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Files.Handle;
import io.jcontainerd.core.ports.Files.Open;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FaultsTest {
  private static final Path FILE = Path.of("/f");

  private final InMemoryFiles real = new InMemoryFiles();

  private static void write(Files files) throws IOException {
    try (Handle handle = files.open(FILE, Open.CREATE, 0600)) {
      handle.write(ByteBuffer.wrap(new byte[3]), 0);
      handle.force();
    }
  }

  @Test
  void calls_of_all_ports_and_handles_are_recorded_together() throws IOException {
    Faults faults = Faults.none();
    write(faults.watch(Files.class, real));
    Kernel kernel = faults.watch(Kernel.class, new InMemoryKernel(real));
    try (Kernel.Synchroniser synchroniser = kernel.synchroniser(FILE)) {
      synchroniser.synchronise();
    }
    assertThat(faults.calls())
        .extracting(call -> call.substring(0, call.indexOf(' ')))
        .containsExactly(
            "Files.open",
            "Handle.write",
            "Handle.force",
            "Kernel.synchroniser",
            "Synchroniser.synchronise");
    assertThat(faults.struck()).isFalse();
  }

  @Test
  void one_call_fails_without_any_effect_and_the_rest_work() throws IOException {
    Faults faults = Faults.failing(2, call -> new IOException("at " + call));
    Files files = faults.watch(Files.class, real);
    assertThatThrownBy(() -> write(files))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("at Handle.write");
    assertThat(real.readAll(FILE)).isEmpty();
    assertThat(real.openHandles()).isZero();
    write(files);
    assertThat(real.readAll(FILE)).hasSize(3);
  }

  @Test
  void the_calls_of_a_composed_operation_fail_one_by_one() throws IOException {
    Faults counted = Faults.none();
    counted.watch(Files.class, real).writeAll(FILE, new byte[5], 0600);
    assertThat(counted.calls()).hasSizeGreaterThan(4);
    for (int n = 1; n <= counted.calls().size(); n++) {
      Files files = Faults.failing(n, IOException::new).watch(Files.class, real);
      assertThatThrownBy(() -> files.writeAll(FILE, new byte[9], 0600))
          .isInstanceOf(IOException.class);
      assertThat(real.tree()).containsExactly("/f");
      real.writeAll(FILE, new byte[5], 0600);
    }
  }

  @Test
  void after_a_crash_nothing_has_any_effect() {
    Files files = Faults.crashing(2).watch(Files.class, real);
    assertThatThrownBy(() -> write(files)).isInstanceOf(SimulatedCrash.class);
    assertThatThrownBy(() -> files.delete(FILE)).isInstanceOf(SimulatedCrash.class);
    assertThat(real.tree()).containsExactly("/f");
  }
}
