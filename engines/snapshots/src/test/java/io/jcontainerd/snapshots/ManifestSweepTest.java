package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.snapshots.manifest.Recorded;
import io.jcontainerd.snapshots.manifest.Recording;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which manifests a clean-up deletes. */
@SuppressWarnings("NullAway.Init")
class ManifestSweepTest {
  private static final Path MANIFESTS = Bench.ROOT.resolve("manifests");

  @TempDir Path folder;
  private Bench bench;
  private Snapshotter snapshotter;
  private Runnable beforeList = () -> {};

  /** Trees of which a manifest can be written. */
  private record RecordingTrees(Trees plain) implements Trees {
    @Override
    public Usage usage(Path top) throws IOException {
      return plain.usage(top);
    }

    @Override
    public Usage usageBeyond(Path top, Path below) throws IOException {
      return plain.usageBeyond(top, below);
    }

    @Override
    public void copy(Path from, Path to) throws IOException {
      plain.copy(from, to);
    }

    @Override
    public void copyFile(Path from, Path to) throws IOException {
      plain.copyFile(from, to);
    }

    @Override
    public boolean records() {
      return true;
    }

    @Override
    public Recorded record(
        Path top, FileSums sums, Recording.Unknown unknown, Pace pace, OutputStream out)
        throws IOException {
      out.write("a manifest".getBytes(StandardCharsets.US_ASCII));
      return new Recorded(7, 1, 10, true, plain.usage(top));
    }
  }

  @BeforeEach
  void open() {
    bench = new Bench(folder);
    Files files =
        (Files)
            Proxy.newProxyInstance(
                Files.class.getClassLoader(),
                new Class<?>[] {Files.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("list") && arguments[0].equals(MANIFESTS)) {
                    Runnable first = beforeList;
                    beforeList = () -> {};
                    first.run();
                  }
                  try {
                    return method.invoke(bench.files, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    snapshotter =
        OverlaySnapshotter.open(
            Bench.ROOT,
            new Environment(
                bench.store,
                files,
                bench.kernel,
                new RecordingTrees(new Bench.PlainTrees(bench.files)),
                bench.time),
            Bench.SUPPORT,
            OverlaySnapshotter.Options.DEFAULTS);
  }

  @AfterEach
  void close() {
    snapshotter.close();
    bench.close();
  }

  private void commit(String name) {
    Prepared _ = snapshotter.prepare("key-" + name, "", Map.of());
    snapshotter.commit(name, "key-" + name, Map.of(), "");
  }

  @Test
  void that_of_a_layer_which_is_committed_meanwhile_stays() throws Exception {
    commit("one");
    bench.files.writeAll(MANIFESTS.resolve("7-00000000000000ff"), new byte[1], 0600);
    beforeList = () -> commit("two");
    snapshotter.cleanup();
    assertThat(bench.files.list(MANIFESTS))
        .containsExactlyInAnyOrder("1-0000000000000007", "2-0000000000000007");
  }
}
