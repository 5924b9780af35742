package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Metadata on a file system that is really full. */
@Tag("root")
@Timeout(60)
class DiskFullTest {
  @TempDir static Path elsewhere;
  @TempDir Path folder;

  /** The first store of a process gives it the native library, which then keeps its disk busy. */
  @BeforeAll
  static void loadLibraryFromElsewhere() {
    Store.open(elsewhere.resolve("test.db"), StoreOptions.DEFAULTS, List.of()).close();
  }

  @BeforeEach
  void mount() throws Exception {
    run("mount", "-t", "tmpfs", "-o", "size=24m", "jcontainerd-test", folder.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", folder.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }

  private void fill() {
    assertThatThrownBy(
            () -> {
              try (OutputStream out = Files.newOutputStream(folder.resolve("filler"))) {
                byte[] zeros = new byte[4096];
                while (true) {
                  out.write(zeros);
                }
              }
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void updates_leave_the_space_that_deletions_need() throws Exception {
    try (Fixture f = new Fixture(folder)) {
      f.in(NS, () -> f.container("c", "", Map.of()));
      f.in(NS, () -> f.image("i", Fixture.digest("x"), Map.of()));
      assertThat(f.store.stats().reserve()).isTrue();
      fill();
      String large = "x".repeat(4000);
      Container container = Fixture.containerOf("c", "", Map.of("label", large));
      Image image = f.in(NS, () -> f.metadata.images().get("i"));
      Image labelled =
          new Image("i", image.target(), Map.of("label", large), Instant.EPOCH, Instant.EPOCH);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 10_000; i++) {
                  Call.in(NS)
                      .run(
                          () -> {
                            f.metadata
                                .containers()
                                .update(container, new FieldMask(List.of("labels")));
                            f.metadata
                                .images()
                                .update(
                                    labelled, new FieldMask(List.of("labels")), Optional.empty());
                          });
                }
              })
          .isInstanceOf(ResourceExhaustedException.class);
      assertThat(f.store.stats().reserve()).isTrue();
      Call.in(NS).run(() -> f.metadata.containers().delete("c"));
      Call.in(NS).run(() -> f.metadata.images().delete("i", Optional.empty(), false));
      Files.delete(folder.resolve("filler"));
    }
  }
}
