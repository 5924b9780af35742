package io.jcontainerd.bench.layers;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.oci.tar.TarEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With an archive of GNU tar's. */
class TreeArchiveTest {
  private static final String LONG = "long-".repeat(30);

  @TempDir private Path folder;
  private TreeArchive archive = new TreeArchive(Path.of("none"));

  @BeforeEach
  void makeArchive() throws Exception {
    Path tree = Files.createDirectories(folder.resolve("tree/etc"));
    Files.writeString(tree.resolve(LONG), "first");
    Files.createLink(tree.resolve("z-link"), tree.resolve(LONG));
    Files.write(tree.resolve("big"), new byte[3000]);
    Path tar = folder.resolve("tree.tar");
    run("tar", "--sort=name", "-C", folder.resolve("tree").toString(), "-cf", tar.toString(), ".");
    archive = new TreeArchive(tar);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  @Test
  void membersHavePlainPaths() throws IOException {
    assertThat(archive.members())
        .containsExactly(
            new Member("", TarEntry.Type.DIRECTORY, "", 0),
            new Member("etc", TarEntry.Type.DIRECTORY, "", 0),
            new Member("etc/big", TarEntry.Type.REGULAR, "", 3000),
            new Member("etc/" + LONG, TarEntry.Type.REGULAR, "", 5),
            new Member("etc/z-link", TarEntry.Type.HARD_LINK, "etc/" + LONG, 0));
  }

  @Test
  void aPartIsAnArchiveOfItsOwn() throws Exception {
    var part = new BitSet();
    part.set(1);
    part.set(3, 5);
    Path tar = folder.resolve("part.tar");
    try (OutputStream out = Files.newOutputStream(tar)) {
      archive.write(part, out);
    }
    Path tree = Files.createDirectory(folder.resolve("unpacked"));
    run("tar", "-C", tree.toString(), "-xf", tar.toString());
    assertThat(tree.resolve("etc")).isDirectoryContaining(path -> path.endsWith("z-link"));
    assertThat(tree.resolve("etc/z-link")).hasContent("first");
    assertThat(tree.resolve("etc/big")).doesNotExist();
  }

  @Test
  void packedLayersTellTheirDigests() throws Exception {
    var all = new BitSet();
    all.set(0, archive.members().size());
    var plain = new ByteArrayOutputStream();
    archive.write(all, plain);
    for (Codec codec : List.of(Codec.NONE, Codec.GZIP)) {
      PackedLayer layer =
          PackedLayer.make(out -> archive.write(all, out), codec, folder.resolve("layer-" + codec));
      assertThat(layer.size()).isEqualTo(Files.size(layer.file()));
      assertThat(layer.diffId().equals(layer.digest())).isEqualTo(codec == Codec.NONE);
    }
    assertThat(folder.resolve("layer-NONE")).hasBinaryContent(plain.toByteArray());
  }

  @Test
  void theLargestFileIsFound() throws IOException {
    var out = new ByteArrayOutputStream();
    archive.largest(out);
    assertThat(out.toByteArray()).isEqualTo(new byte[3000]);
  }
}
