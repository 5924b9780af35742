package io.jcontainerd.diff.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jcontainerd.linux.Isal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class IsalGzipTest extends GzipContract {
  private final JdkGzipTest jdk = new JdkGzipTest();

  @BeforeAll
  static void what_is_installed_is_used() throws IOException {
    assumeTrue(isInstalled(), Isal.ofMachine()::toString);
    assertThat(Isal.ofMachine().isUsable()).as(Isal.ofMachine().toString()).isTrue();
  }

  /** Whether there is a release that is known. */
  private static boolean isInstalled() throws IOException {
    Path libraries = Path.of("/usr/lib");
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(libraries, "*-linux-gnu*")) {
      for (Path folder : folders) {
        Path library = folder.resolve("libisal.so.2");
        if (Files.exists(library)
            && library.toRealPath().toString().matches(".*/libisal\\.so\\.2\\.0\\.3[0-2]")) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  Inflating inflating() {
    return Inflaters.isal().orElseThrow();
  }

  @Test
  void what_the_jdk_accepts_is_accepted_and_nothing_becomes_something_else() throws Exception {
    long seed = Long.getLong("jcontainerd.test.seed", 1);
    Random random = new Random(seed);
    for (int i = 0; i < 1_000; i++) {
      byte[] plain = sample(1 + random.nextInt(3_000), random.nextLong());
      byte[] packed = gzip(plain, i % 10, i % 3);
      int at = 10 + random.nextInt(packed.length - 10);
      packed[at] ^= (byte) (1 << random.nextInt(8));
      String ours = outcome(this, packed);
      String theirs = outcome(jdk, packed);
      if (theirs.startsWith("[")) {
        assertThat(ours).as("seed %d", seed).isEqualTo(theirs);
      } else if (ours.startsWith("[")) {
        // a table of codes that are not used may be incomplete
        assertThat(ours).as("seed %d", seed).isEqualTo(Arrays.toString(plain));
      }
    }
  }

  private static String outcome(GzipContract who, byte[] packed) throws Exception {
    try {
      return Arrays.toString(who.gunzip(packed, 900, 1_000, 500));
    } catch (CorruptStreamException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void it_belongs_to_the_thread_that_made_it() throws Exception {
    try (Inflating inflating = inflating()) {
      ByteBuffer from = ByteBuffer.allocateDirect(8);
      ByteBuffer to = ByteBuffer.allocateDirect(8);
      Thread other =
          Thread.ofPlatform()
              .unstarted(
                  () -> {
                    assertThatThrownBy(() -> inflating.inflate(from, to))
                        .isInstanceOf(WrongThreadException.class);
                    assertThatThrownBy(inflating::close).isInstanceOf(WrongThreadException.class);
                  });
      Throwable[] failed = new Throwable[1];
      other.setUncaughtExceptionHandler((_, e) -> failed[0] = e);
      other.start();
      other.join();
      assertThat(failed[0]).isNull();
    }
  }

  @Test
  void buffers_of_the_heap_are_refused() {
    try (Inflating inflating = inflating()) {
      ByteBuffer direct = ByteBuffer.allocateDirect(8);
      ByteBuffer heap = ByteBuffer.allocate(8);
      assertThatThrownBy(() -> inflating.inflate(heap, direct))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> inflating.inflate(direct, heap))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
