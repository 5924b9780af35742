package io.jcontainerd.endure;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Digest;
import io.jcontainerd.endure.Layer.Blob;
import io.jcontainerd.endure.Node.Kind;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.platform.Platforms;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Images made out of numbers: of a seed and the image's number come the names, modes, owners, times
 * and bytes of all its files. Images share their lower layers. Safe for many threads.
 */
final class Model {
  /** The image that containers run on; it holds the machine's busybox. */
  static final int APP = 1000;

  private static final int BASES = 3;
  private static final int MIDDLES = 4;
  private static final int FOLDERS = 6;
  private static final int LASTING = 4;
  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");
  private static final long YEAR_2017 = 1_500_000_000L;
  private static final int[] MODES = {0644, 0600, 0755, 04755, 0400, 02750, 01777};
  private static final int[] OWNERS = {0, 0, 0, 1000, 65_534, 1_000_000};
  private static final String[] LOOKS = {"f%d", "f%d.so", "f %d", "ñ-f%d", "-f%d", "F%d~"};

  private final long seed;
  private final Map<String, Layer> layers = new ConcurrentHashMap<>();
  private final Map<Integer, ModelImage> images = new ConcurrentHashMap<>();
  private final Map<Digest, SortedMap<String, Node>> trees = new ConcurrentHashMap<>();

  Model(long seed) {
    this.seed = seed;
  }

  long seed() {
    return seed;
  }

  /** The image of a number. */
  ModelImage image(int number) {
    ModelImage known = images.get(number);
    if (known == null) {
      known = make(number);
      images.put(number, known);
    }
    return known;
  }

  /** What a snapshot of that chain id must hold, if it is of an image that was ever asked for. */
  Optional<SortedMap<String, Node>> tree(Digest chainId) {
    return Optional.ofNullable(trees.get(chainId));
  }

  private ModelImage make(int number) {
    List<Layer> stack = new ArrayList<>();
    if (number == APP) {
      stack.add(layers.computeIfAbsent("app", _ -> app()));
    } else {
      SplittableRandom random = random("image " + number);
      stack.add(layer("base " + random.nextInt(BASES)));
      int middles = random.nextInt(3);
      for (int i = 0; i < middles; i++) {
        stack.add(layer("middle " + random.nextInt(MIDDLES)));
      }
      stack.add(layer("top " + number));
    }
    List<Digest> diffIds = stack.stream().map(Layer::diffId).toList();
    List<Digest> chain = ChainIds.of(diffIds);
    SortedMap<String, Node> tree = new TreeMap<>();
    for (int i = 0; i < stack.size(); i++) {
      tree = Trees.with(tree, stack.get(i).nodes());
      trees.put(chain.get(i), tree);
    }
    Blob config = Blob.of(MediaTypes.CONFIG, config(number, diffIds).toBytes());
    Manifest manifest =
        new Manifest(config.descriptor(), stack.stream().map(l -> l.blob().descriptor()).toList());
    return new ModelImage(
        number, stack, chain, config, Blob.of(MediaTypes.MANIFEST, manifest.toBytes()));
  }

  private static JsonObject config(int number, List<Digest> diffIds) {
    return JsonObject.EMPTY
        .with("author", "number " + number)
        .with("architecture", Platforms.host().architecture())
        .with("os", Platforms.host().os())
        .with("config", JsonObject.EMPTY.with("Env", JsonArray.ofStrings(List.of("PATH=/bin"))))
        .with(
            "rootfs",
            JsonObject.EMPTY
                .with("type", "layers")
                .with("diff_ids", JsonArray.of(diffIds, d -> Json.of(d.toString()))));
  }

  private SplittableRandom random(String what) {
    return new SplittableRandom(seed * 31 + what.hashCode());
  }

  private Layer layer(String name) {
    return layers.computeIfAbsent(name, _ -> Layer.of(nodes(name), random(name).nextInt(5)));
  }

  /** Some files in some folders; of upper layers also removals of what may lie below. */
  private Map<String, Node> nodes(String name) {
    SplittableRandom random = random("nodes of " + name);
    Map<String, Node> nodes = new LinkedHashMap<>();
    List<String> folders = new ArrayList<>();
    boolean base = name.startsWith("base");
    for (int i = 0; i < (base ? FOLDERS : 4); i++) {
      String top = "d" + (base ? i : random.nextInt(FOLDERS));
      folders.add(top);
      String inner = top + "/e" + random.nextInt(3);
      nodes.putIfAbsent(top, folder(random));
      if (random.nextBoolean()) {
        nodes.putIfAbsent(inner, folder(random));
        folders.add(inner);
      }
    }
    if (!base) {
      remove(random, nodes);
    }
    int files = 10 + random.nextInt(25);
    String last = "";
    for (int i = 0; i < files; i++) {
      String folder = folders.get(random.nextInt(folders.size()));
      int number = random.nextInt(40);
      String path = folder + "/" + LOOKS[number % LOOKS.length].formatted(number);
      if (nodes.containsKey(path)) {
        continue; // it is to be removed, or there already
      }
      nodes.put(path, file(random));
      if (!last.isEmpty() && random.nextInt(12) == 0) {
        nodes.putIfAbsent(folder + "/h" + number, Node.hardlink(last));
      }
      if (random.nextInt(10) == 0) {
        nodes.putIfAbsent(
            folder + "/s" + number,
            Node.symlink(owner(random), owner(random), time(random), "../" + path));
      }
      last = path;
    }
    return nodes;
  }

  /**
   * Removes files of folders that are in every base and never removed themselves - overlayfs shows
   * the name of what is removed from a folder that no lower layer has -, and one other folder, or
   * what is in it.
   */
  private static void remove(SplittableRandom random, Map<String, Node> nodes) {
    for (int i = 0; i < 4; i++) {
      int number = random.nextInt(40);
      String top = "d" + random.nextInt(LASTING);
      if (nodes.containsKey(top)) {
        String path = top + "/" + LOOKS[number % LOOKS.length].formatted(number);
        nodes.put(path, Node.mark(Kind.WHITEOUT));
      }
    }
    String whole = "d" + (LASTING + random.nextInt(FOLDERS - LASTING));
    if (!nodes.containsKey(whole)) {
      nodes.put(whole, Node.mark(Kind.WHITEOUT));
    } else if (random.nextInt(3) == 0
        && nodes.keySet().stream().noneMatch(p -> p.startsWith(whole + "/"))) {
      nodes.put(whole + "/", Node.mark(Kind.OPAQUE));
    }
  }

  private static Node folder(SplittableRandom random) {
    return Node.folder(
        random.nextBoolean() ? 0755 : 0700, owner(random), owner(random), time(random));
  }

  private static Node file(SplittableRandom random) {
    return Node.file(
        MODES[random.nextInt(MODES.length)],
        owner(random),
        owner(random),
        time(random),
        bytes(
            random.nextLong(),
            random.nextInt(12) == 0 ? random.nextInt(200_000) : random.nextInt(6_000)));
  }

  private static int owner(SplittableRandom random) {
    return OWNERS[random.nextInt(OWNERS.length)];
  }

  private static long time(SplittableRandom random) {
    return YEAR_2017 + random.nextInt(200_000_000);
  }

  /** Bytes that a seed gives, half of them hard to pack. */
  static Supplier<byte[]> bytes(long seed, int size) {
    return () -> {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      for (int i = 0; i + 64 <= size; i += 128) {
        Arrays.fill(bytes, i, i + 64, bytes[i]);
      }
      return bytes;
    };
  }

  /**
   * What a build step with that number adds to an image; readable and whole only if all of it is.
   */
  SortedMap<String, Node> step(int number) {
    SplittableRandom random = random("step " + number);
    SortedMap<String, Node> nodes = new TreeMap<>();
    for (int i = 0; i < 3; i++) {
      nodes.put("step-" + i, file(random));
    }
    return nodes;
  }

  /** What is written as a blob that no image has. */
  byte[] loose(int number) {
    SplittableRandom random = random("loose " + number);
    return bytes(random.nextLong(), 100_000 + random.nextInt(900_000)).get();
  }

  private static Layer app() {
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put("bin", Node.folder(0755, 0, 0, YEAR_2017));
    nodes.put("bin/busybox", Node.file(0755, 0, 0, YEAR_2017, Model::busybox));
    for (String applet : List.of("sh", "sleep", "true")) {
      nodes.put("bin/" + applet, Node.symlink(0, 0, YEAR_2017, "busybox"));
    }
    nodes.put("readme", Node.file(0644, 0, 0, YEAR_2017, () -> "runs\n".getBytes(UTF_8)));
    return Layer.of(nodes, 0);
  }

  private static byte[] busybox() {
    try {
      return Files.readAllBytes(BUSYBOX);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
