package io.jcontainerd.content;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.leaks.LeakCheck;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store on this machine's disk. */
@SuppressWarnings("NullAway.Init")
class RealFilesTest extends ContentStoreContract {
  @TempDir Path root;

  @Override
  protected ContentStore open() {
    return LocalContentStore.open(root.resolve("content"), new LinuxFiles(), Time.SYSTEM, "boot");
  }

  @Override
  protected Set<Trait> leavesOut() {
    return Set.of(Trait.LABELS);
  }

  @Test
  void many_ingests_at_once_leave_nothing_but_blobs() throws Exception {
    ContentStore store = open();
    LeakCheck leaks = LeakCheck.begin(Files.createDirectory(root.resolve("scratch")), "");
    try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        byte[] bytes = new byte[10_000 + i % 10];
        String ref = "ref-" + i;
        var _ =
            threads.submit(
                () -> {
                  try (Ingest ingest = store.ingest(new IngestRequest(ref))) {
                    ingest.write(ByteBuffer.wrap(bytes));
                    return ingest.commit(bytes.length, Optional.empty(), java.util.Map.of());
                  }
                });
      }
    }
    assertThat(store.statuses(Filter.ALL)).isEmpty();
    try (Stream<Path> files = Files.walk(root.resolve("content"))) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(10);
    }
    try (Stream<Path> blobs = Files.list(root.resolve("content/blobs/sha256"))) {
      for (Path blob : blobs.toList()) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(blob)))
            .isEqualTo("r--r--r--");
      }
    }
    leaks.assertNothingLeft();
  }
}
