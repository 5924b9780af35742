package io.jcontainerd.diff;

import static io.jcontainerd.diff.ApplyScene.archive;
import static io.jcontainerd.diff.ApplyScene.bind;
import static io.jcontainerd.diff.ApplyScene.overlay;
import static io.jcontainerd.diff.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.mount.Mount;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers with random damage: refused or taken, but never harmful to what is beside the tree. */
@Tag("root")
class MutatedLayersTest {
  private static final int ROUNDS = 250;

  @TempDir Path temp;

  private static byte[] sample(ApplyScene scene) throws Exception {
    Path source = scene.fresh("source");
    sh(
        "cd $1; mkdir -p a/b c; echo 1 > a/f; echo 22 > a/b/g; ln a/f c/hard; ln -s ../../.. c/up;"
            + " ln -s /etc c/abs; mkfifo c/p; mknod c/n c 1 3; truncate -s 100k a/holes;"
            + " echo x >> a/holes; echo y > c/up-name; touch a/.wh.gone c/.wh..wh..opq;"
            + " p=$(printf 'q%.0s' $(seq 1 130)); echo long > $p",
        source.toString());
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (String format : List.of("--format=pax", "--format=gnu -S", "--format=pax -S")) {
      byte[] tar = archive(source, "tar -b 1 " + format + " -cf - .");
      all.write(tar, 0, tar.length - 1024);
    }
    all.writeBytes(
        new Tars().file("c/up/evil", "e").file("c/abs/evil", "e").hardLink("z", "a/f").end());
    return all.toByteArray();
  }

  private static byte[] mutate(byte[] sample, Random random) {
    byte[] mutated = sample.clone();
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes; i++) {
      int block = random.nextInt(mutated.length / 512) * 512;
      boolean header = mutated[block + 257] == 'u' && mutated[block + 258] == 's';
      int at = block + random.nextInt(header ? 345 : 512);
      switch (random.nextInt(4)) {
        case 0 -> mutated[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> mutated[at] = (byte) random.nextInt(256);
        case 2 -> mutated[at] = (byte) "0123456789/.SxgLK=\0".charAt(random.nextInt(19));
        default -> {
          int other = random.nextInt(mutated.length / 512) * 512;
          System.arraycopy(sample, other, mutated, block, 512);
        }
      }
      if (header && random.nextInt(8) > 0) {
        byte[] fixed = Arrays.copyOfRange(mutated, block, block + 512);
        Tars.checksum(fixed);
        System.arraycopy(fixed, 0, mutated, block, 512);
      }
    }
    return random.nextInt(10) == 0
        ? Arrays.copyOf(mutated, random.nextInt(mutated.length))
        : mutated;
  }

  private static byte[] packed(byte[] tar, Random random) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(tar);
    }
    byte[] bytes = out.toByteArray();
    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    return bytes;
  }

  @Test
  void damage_is_refused_or_harmless() throws Exception {
    long seed = Long.getLong("jcontainerd.test.seed", 1);
    System.out.println("MutatedLayersTest: -Djcontainerd.test.seed=" + seed);
    Random random = new Random(seed);
    ApplyScene scene = new ApplyScene(temp);
    byte[] sample = sample(scene);
    Path jail = scene.fresh("jail");
    sh(
        "cd $1; mkdir -p etc beside/x lower/a lower/c; echo s > etc/s; echo s > beside/x/s",
        jail.toString());
    SortedMap<String, String> before = Trees.of(jail);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Path target = scene.fresh("jail/target");
      boolean upper = random.nextBoolean();
      List<Mount> mounts =
          upper ? overlay(target, temp.resolve("unused"), jail.resolve("lower")) : bind(target);
      byte[] layer = mutate(sample, random);
      try {
        boolean gzip = random.nextInt(4) == 0;
        scene.apply(
            gzip ? packed(layer, random) : layer, gzip ? ApplyScene.GZIP : ApplyScene.TAR, mounts);
      } catch (ContainerdException e) {
        refused++;
        assertThat(e).as("round %d of seed %d", round, seed).hasMessageContaining("layer sha256:");
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("round " + round + " of seed " + seed, e);
      }
      sh("rm -rf $1", target.toString());
      SortedMap<String, String> after = Trees.of(jail);
      after.put(".", before.get("."));
      assertThat(after).as("round %d of seed %d", round, seed).isEqualTo(before);
      assertThat(Thread.getAllStackTraces().keySet())
          .extracting(Thread::getName)
          .noneMatch(name -> name.startsWith("unpack-") || name.startsWith("extract-"));
    }
    assertThat(refused).as("refused of seed %d", seed).isBetween(ROUNDS / 10, ROUNDS - 1);
  }
}
