package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Digest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlobSweepTest {
  @TempDir Path folder;

  private static boolean isFree(Guards guards, String digest) {
    try (Guards.Sweep sweep = guards.trySweep(Guards.content(digest))) {
      return sweep != null;
    }
  }

  @Test
  void a_blob_is_to_be_had_again_when_it_is_removed_and_not_when_its_portion_is() {
    try (Fixture f = new Fixture(folder)) {
      Guards guards = new Guards();
      List<String> digests = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        digests.add(Digest.sha256(Fixture.bytes("blob " + i)).toString());
      }
      List<String> removed = new ArrayList<>();
      List<Boolean> free = new ArrayList<>();
      BlobSweep sweep =
          new BlobSweep(
              new Database(f.store, f.time),
              f.blobs,
              guards,
              (what, _) -> {
                free.add(isFree(guards, digests.get(removed.size())));
                removed.forEach(before -> free.add(!isFree(guards, before)));
                removed.add(what.substring("content ".length()));
                return true;
              },
              () -> true);
      assertThat(sweep.remove(digests, false)).containsExactlyInAnyOrderElementsOf(digests);
      assertThat(removed).containsExactlyElementsOf(digests);
      assertThat(free)
          .as("is held although it is gone, or not although it is not")
          .containsOnly(false);
      assertThat(digests).allMatch(digest -> isFree(guards, digest));
    }
  }
}
