package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeCopiesTest {
  private static final Path CRUN = Path.of("/usr/bin/crun");

  @TempDir Path folder;
  private Reactor reactor;
  private RuntimeCopies copies;

  @BeforeEach
  void open() throws IOException {
    reactor = Reactor.start("copies-test");
    ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
    copies = new RuntimeCopies(runner, List.of("PATH=/usr/bin:/bin"), folder + ":/usr/bin");
  }

  @AfterEach
  void close() throws IOException {
    copies.close();
    assertThat(held()).isZero();
    reactor.close();
  }

  /** How many copies this process has in memory. */
  private static long held() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.filter(RuntimeCopiesTest::isCopy).count();
    }
  }

  private static boolean isCopy(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("/memfd:");
    } catch (IOException e) {
      return false; // that of the listing itself
    }
  }

  private static Optional<Path> executed(RuntimeCopies.Use use) {
    return use.of(Program.of("crun", List.of(), List.of())).file();
  }

  @Test
  void crun_is_copied_once() throws Exception {
    try (RuntimeCopies.Use first = copies.use("crun");
        RuntimeCopies.Use second = copies.use("crun")) {
      assertThat(executed(first)).isPresent().isEqualTo(executed(second));
      assertThat(held()).isEqualTo(1);
    }
    assertThat(held()).isEqualTo(1);
  }

  @Test
  void a_changed_file_is_copied_again_and_the_old_copy_stays_while_it_is_used() throws Exception {
    Path crun = folder.resolve("crun");
    Files.copy(CRUN, crun, StandardCopyOption.COPY_ATTRIBUTES);
    try (RuntimeCopies.Use before = copies.use("crun")) {
      Files.setLastModifiedTime(crun, FileTime.fromMillis(1_000_000));
      try (RuntimeCopies.Use after = copies.use("crun")) {
        assertThat(executed(after)).isPresent().isNotEqualTo(executed(before));
      }
      assertThat(held()).isEqualTo(2);
    }
    assertThat(held()).isEqualTo(1);
  }

  @Test
  void scripts_and_programs_that_are_not_crun_are_executed_as_they_are() throws Exception {
    Path script = folder.resolve("wrapper");
    Files.writeString(script, "#!/bin/sh\necho crun version 1\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    for (String binary : List.of(script.toString(), "/bin/true", "not-installed", "/not/there")) {
      try (RuntimeCopies.Use use = copies.use(binary)) {
        assertThat(executed(use)).as(binary).isEmpty();
      }
    }
    assertThat(held()).isZero();
  }

  @Test
  void a_copy_that_was_cut_short_is_tried_again() throws Exception {
    Thread.currentThread().interrupt();
    try (RuntimeCopies.Use cut = copies.use("crun")) {
      assertThat(executed(cut)).isEmpty();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    try (RuntimeCopies.Use next = copies.use("crun")) {
      assertThat(executed(next)).isPresent();
    }
  }
}
