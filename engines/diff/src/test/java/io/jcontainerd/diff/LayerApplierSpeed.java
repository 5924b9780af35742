package io.jcontainerd.diff;

import static io.jcontainerd.diff.Shell.sh;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Prints how fast layers are applied beside GNU tar; run by name, {@code -Dtest=LayerApplierSpeed}.
 */
@Tag("root")
class LayerApplierSpeed {
  private static final int ROUNDS = 3;

  @TempDir Path temp;

  @Test
  void layers_on_tmpfs_beside_gnu_tar() throws Exception {
    ApplyScene scene = new ApplyScene(temp);
    Path memory = scene.fresh("memory");
    scene.kernel.mount(List.of(new Mount("tmpfs", "t", List.of("size=4g"))), memory);
    try {
      sh(
          "cd $1; mkdir tree out; cd tree; i=0; for d in /usr/lib/x86_64-linux-gnu /usr/share/doc"
              + " /usr/bin; do mkdir -p n$i; cp -a $d n$i/; i=$((i+1));"
              + " [ $(du -sm . | cut -f1) -gt 200 ] && break; done;"
              + " tar -cf ../layer.tar .; gzip -k ../layer.tar; zstd -q -k ../layer.tar",
          memory.toString());
      double megabytes = Files.size(memory.resolve("layer.tar")) / 1e6;
      String entries = sh("tar -tf $1/layer.tar | wc -l", memory.toString());
      System.out.printf("%.0f MB, %s entries%n", megabytes, entries);
      for (int round = 0; round < ROUNDS; round++) {
        for (String kind : List.of("", ".gz", ".zst")) {
          LayerApplier applier =
              new LayerApplier(
                  stored(memory.resolve("layer.tar" + kind)), scene.mounter, LayerLimits.USUAL);
          String type =
              switch (kind) {
                case ".gz" -> ApplyScene.GZIP;
                case ".zst" -> ApplyScene.ZSTD;
                default -> ApplyScene.TAR;
              };
          Path target = Files.createDirectory(memory.resolve("out/ours"));
          long start = System.nanoTime();
          applier.apply(
              new Descriptor(type, ApplyScene.digest(new byte[0]), 0),
              ApplyScene.bind(target),
              new Applier.Options(Map.of(), false));
          double ours = (System.nanoTime() - start) / 1e9;
          sh("rm -rf $1/out/*; mkdir $1/out/tar", memory.toString());
          start = System.nanoTime();
          sh("tar -xpf $1/layer.tar$2 -C $1/out/tar", memory.toString(), kind);
          double tar = (System.nanoTime() - start) / 1e9;
          sh("rm -rf $1/out/*", memory.toString());
          System.out.printf(
              "tar%-4s ours %.2f s %.0f MB/s, GNU tar %.2f s %.0f MB/s%n",
              kind, ours, megabytes / ours, tar, megabytes / tar);
        }
      }
    } finally {
      scene.kernel.detachAll(memory);
    }
  }

  /**
   * A content store that has one blob, the file, under every digest, and is good for nothing else.
   */
  private static ContentStore stored(Path file) {
    return (ContentStore)
        Proxy.newProxyInstance(
            ContentStore.class.getClassLoader(),
            new Class<?>[] {ContentStore.class},
            (_, method, _) -> {
              if (method.getName().equals("reader")) {
                return new FileReader(FileChannel.open(file));
              }
              throw new UnsupportedOperationException(method.getName());
            });
  }

  private record FileReader(FileChannel channel) implements ContentReader {
    @Override
    public long size() {
      try {
        return channel.size();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public int read(ByteBuffer into, long position) {
      try {
        return channel.read(into, position);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
