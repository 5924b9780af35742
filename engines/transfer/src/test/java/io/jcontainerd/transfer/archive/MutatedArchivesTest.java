package io.jcontainerd.transfer.archive;

import static io.jcontainerd.transfer.archive.TestArchive.AMD64;
import static io.jcontainerd.transfer.archive.TestArchive.gzip;
import static io.jcontainerd.transfer.archive.TestArchive.layer;
import static io.jcontainerd.transfer.archive.TestArchive.named;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import java.io.ByteArrayInputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Archives that were right before something happened to a few of their bytes: they are read, or
 * refused as what they are, and never leave an ingest behind.
 */
@Timeout(120)
class MutatedArchivesTest {
  private static final int TRIES = 1500;

  @Test
  void whatever_happens_to_an_archive_is_contained() {
    long seed = Long.getLong("seed", 1);
    int read = 0;
    List<byte[]> archives = List.of(layout(), docker(), gzip(layout()), Zstd.compress(docker()));
    for (int i = 0; i < TRIES; i++) {
      Random random = new Random(seed + i);
      byte[] archive = mutated(archives.get(i % archives.size()), random);
      try {
        read += run(archive) ? 1 : 0;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("-Dseed=" + seed + " at the try " + i, e);
      }
    }
    assertThat(read).as("archives that were read, with -Dseed=" + seed).isPositive();
  }

  private static boolean run(byte[] archive) {
    ContentStore content =
        InNamespace.of("default", ContentStore.class, new InMemoryContentStore());
    ImageStore images = InNamespace.of("default", ImageStore.class, new InMemoryImageStore());
    LeaseStore leases = InNamespace.of("default", LeaseStore.class, new InMemoryLeaseStore());
    var any = new ExtraReference("i", true, true, true, false);
    var destination =
        new ImageSelection("", Map.of(), List.of(AMD64), false, 0, List.of(any), List.of());
    boolean read = false;
    try {
      new ArchiveImport(
              content,
              leases,
              new SavedNames(images),
              (name, _, _, _) -> {
                throw new AssertionError("nobody asked to unpack " + name);
              },
              FreeSpace.UNKNOWN,
              ArchiveLimits.USUAL)
          .run(
              new ByteArrayInputStream(archive),
              new ImportRequest("", true, destination),
              TransferListener.NONE);
      read = true;
    } catch (InvalidArgumentException | NotFoundException | DataLossException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      assertThat(images.list(Filter.ALL)).as("names of what was refused").isEmpty();
    }
    assertThat(content.statuses(Filter.ALL)).as("ingests").isEmpty();
    return read;
  }

  private static byte[] mutated(byte[] archive, Random random) {
    byte[] bytes = archive.clone();
    int changes = random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
        default -> {
          int length = Math.min(random.nextInt(1024), bytes.length - at);
          System.arraycopy(bytes, at, bytes, random.nextInt(bytes.length - length + 1), length);
        }
      }
    }
    return bytes;
  }

  private static byte[] layout() {
    var archive = new TestArchive().layout();
    return archive
        .index(named(archive.image(AMD64, layer("one")), "docker.io/library/app:1"))
        .bytes();
  }

  private static byte[] docker() {
    byte[] layer = layer("one");
    return new TestArchive()
        .file("l.tar", layer)
        .file("c.json", TestArchive.config(AMD64, layer))
        .file(
            "manifest.json",
            "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"l.tar\"]}]")
        .bytes();
  }
}
