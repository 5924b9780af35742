package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.MountInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;

/** Two trees in a jail with a canary around them, and what must hold after each layer. */
final class HostileScene {
  /** The JDK opens jars and the like when it pleases; what leaks does so at each of many layers. */
  private static final int TOLERATED_FILES = 32;

  private final ApplyScene scene;
  private final Path jail;
  private final SortedMap<String, String> before;

  HostileScene(Path folder, LayerLimits limits) throws IOException {
    scene = new ApplyScene(folder, limits);
    jail = scene.fresh("jail");
    scene.fresh("jail/etc");
    scene.fresh("jail/beside");
    Files.writeString(jail.resolve("etc/canary"), "as it was");
    Files.writeString(jail.resolve("beside/canary"), "as it was");
    before = Trees.of(jail);
  }

  /** All of them in turn, in a process of its own. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    List<HostileLayers.Hostile> all = HostileLayers.all();
    int number = 0;
    int failed = 0;
    long open = openFiles();
    for (HostileLayers.Hostile layer : all) {
      number++;
      try {
        new HostileScene(folder.resolve("s" + number), HostileLayers.LIMITS).check(layer);
      } catch (AssertionError e) {
        failed++;
        System.out.println(layer + ": " + e.getMessage());
      }
    }
    if (openFiles() - open >= TOLERATED_FILES) {
      failed++;
      System.out.println("open files: " + openFiles() + " after " + open);
    }
    System.out.println(failed + " of " + all.size() + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }

  void check(HostileLayers.Hostile layer) throws IOException {
    Path lower = scene.fresh("jail/lower");
    Path upper = scene.fresh("jail/upper");
    Path plain = scene.fresh("jail/plain");
    if (layer.base().isPresent()) {
      scene.apply(layer.base().get(), lower);
      scene.apply(layer.base().get(), plain);
    }
    byte[] bytes = layer.layer().get();
    apply(layer, bytes, plain, ApplyScene.bind(plain));
    apply(layer, bytes, upper, ApplyScene.overlay(upper, scene.folder.resolve("work"), lower));
    scene.content.delete(ApplyScene.digest(bytes));
    try (Directory folder = Directory.open(jail)) {
      for (String name : List.of("lower", "upper", "plain")) {
        folder.removeTree(RawPath.of(name));
      }
    }
    SortedMap<String, String> after = Trees.of(jail);
    after.put(".", before.get("."));
    assertThat(after).as("beside the trees of %s", layer).isEqualTo(before);
    assertThat(MountInfo.read())
        .extracting(MountInfo::mountPoint)
        .noneMatch(point -> point.startsWith(scene.folder.toString()));
  }

  private void apply(HostileLayers.Hostile layer, byte[] bytes, Path tree, List<Mount> mounts)
      throws IOException {
    long open = openFiles();
    Throwable failure = catchThrowable(() -> scene.apply(bytes, layer.type(), mounts));
    switch (layer.outcome()) {
      case HostileLayers.Outcome.Contained(var check) -> {
        assertThat(failure).as("%s", layer).isNull();
        try (Directory root = Directory.open(tree)) {
          check.of(root);
        }
      }
      case HostileLayers.Outcome.Refused(var kind, var parts) -> {
        assertThat(failure).as("%s", layer).isInstanceOf(kind);
        refusal(bytes, failure, parts);
      }
      case HostileLayers.Outcome.Either(var parts) -> {
        if (failure != null) {
          refusal(bytes, failure, parts);
        }
      }
    }
    assertThat(openFiles() - open).as("open files after %s", layer).isLessThan(TOLERATED_FILES);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("unpack-") || name.startsWith("extract-"));
  }

  private static void refusal(byte[] layer, Throwable failure, List<String> parts) {
    assertThat(failure)
        .hasMessageStartingWith("layer " + ApplyScene.digest(layer) + ": ")
        .message()
        .contains(parts)
        .hasSizeLessThan(1000)
        .doesNotContain("\n");
  }

  private static long openFiles() throws IOException {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }
}
