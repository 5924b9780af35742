package io.jcontainerd.fuzz;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.diff.LayerLimits;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A layer put into a tree, packed or not: what is beside the tree stays as it was, a refusal names
 * the layer, and no thread or open file stays behind. The first byte says into what kind of tree.
 * Needs root, and a tmpfs to be quick.
 */
public final class LayerTarget {
  private static final String TAR = "application/vnd.oci.image.layer.v1.tar";
  private static final int MANY = 512;
  private static LayerTarget scene;

  private final Path jail;
  private final LayerApplier applier;
  private final InMemoryContentStore content = new InMemoryContentStore();
  private final SortedMap<String, String> before;

  private LayerTarget(Path folder) throws IOException {
    jail = Files.createDirectories(folder.resolve("jail"));
    for (String name : List.of("etc", "beside/x", "lower/a/b", "lower/c", "target")) {
      Files.createDirectories(jail.resolve(name));
    }
    for (String name : List.of("etc/s", "beside/x/s", "lower/a/f", "lower/a/b/g")) {
      Files.writeString(jail.resolve(name), "as it was");
    }
    Files.createSymbolicLink(jail.resolve("lower/c/up"), Path.of("../../.."));
    Files.createSymbolicLink(jail.resolve("lower/c/abs"), Path.of("/etc"));
    LinuxKernel kernel = new LinuxKernel(folder.resolve("tmp"));
    applier =
        new LayerApplier(content, new Mounter(kernel, folder.resolve("mounts")), LayerLimits.USUAL);
    before = canary();
  }

  private static LayerTarget scene() throws IOException {
    LayerTarget known = scene;
    if (known == null) {
      Path folder = Files.createTempDirectory(Path.of("/dev/shm"), "jcontainerd-fuzz-");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(folder)));
      known = new LayerTarget(folder);
      scene = known;
    }
    return known;
  }

  private static void remove(Path folder) {
    try (Directory above = Directory.open(folder.resolveSibling(""))) {
      above.removeTree(RawPath.of(String.valueOf(folder.getFileName())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length > 0) {
      scene().run(input);
    }
  }

  private void run(byte[] input) throws IOException {
    byte[] layer = new byte[input.length - 1];
    System.arraycopy(input, 1, layer, 0, layer.length);
    Path target = jail.resolve("target");
    Mount mount =
        (input[0] & 1) == 0
            ? new Mount("bind", target.toString(), List.of("rw", "rbind"))
            : new Mount(
                "overlay",
                "overlay",
                List.of(
                    "workdir=" + jail.resolve("work"),
                    "upperdir=" + target,
                    "lowerdir=" + jail.resolve("lower")));
    Descriptor blob = new Descriptor(TAR, content.add(layer, Map.of()), layer.length);
    try {
      applier.apply(blob, List.of(mount), new Applier.Options(Map.of(), false));
    } catch (ContainerdException e) {
      if (!String.valueOf(e.getMessage()).contains("layer sha256:")) {
        throw new AssertionError("the layer is not named", e);
      }
    } finally {
      content.delete(blob.digest());
    }
    try (Directory folder = Directory.open(jail)) {
      folder.removeTree(RawPath.of("target"));
      folder.makeDirectory(RawPath.of("target"), 0755);
    }
    if (!canary().equals(before)) {
      throw new AssertionError("beside the tree: " + canary() + "\nbut it was: " + before);
    }
    try (var open = Files.list(Path.of("/proc/self/fd"))) {
      if (open.count() > MANY) {
        throw new AssertionError("files stay open");
      }
    }
  }

  private SortedMap<String, String> canary() throws IOException {
    SortedMap<String, String> lines = new TreeMap<>();
    try (Directory root = Directory.open(jail)) {
      look(root, "", lines);
    }
    return lines;
  }

  private static void look(Directory folder, String path, SortedMap<String, String> lines)
      throws IOException {
    for (RawPath name : folder.names()) {
      String here = path + "/" + name;
      if (here.equals("/target")) {
        continue;
      }
      var stat = folder.status(name);
      lines.put(
          here,
          "%s %o %d %d %d %s %s"
              .formatted(
                  stat.type(),
                  stat.mode(),
                  stat.uid(),
                  stat.links(),
                  stat.size(),
                  stat.modified(),
                  folder.attributes(name).stream()
                      .map(RawPath::bytes)
                      .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                      .toList()));
      if (stat.isDirectory()) {
        try (Directory child = folder.openChild(name)) {
          look(child, here, lines);
        }
      }
    }
  }
}
