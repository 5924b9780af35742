package io.jcontainerd.daemon.storage;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Layers with something of everything, the same for the same seed. */
final class RandomImage {
  private static final int[] MODES = {0644, 0600, 0755, 04755, 0444, 02755, 01777};

  private final Random random;

  RandomImage(Random random) {
    this.random = random;
  }

  private LayerTar.Look look() {
    return new LayerTar.Look(
        MODES[random.nextInt(MODES.length)],
        random.nextInt(3) * 500,
        random.nextInt(3) * 500,
        1_600_000_000L + random.nextInt(100_000_000));
  }

  /** Layers that bring, replace, and hide files. */
  List<byte[]> layers(int count, int size) {
    List<byte[]> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(layer(i, size));
    }
    return all;
  }

  private byte[] layer(int number, int size) {
    var tar = new LayerTar();
    List<String> files = new ArrayList<>();
    List<String> folders = new ArrayList<>(List.of("usr", "usr/lib", "etc"));
    tar.folder("usr", look()).folder("usr/lib", look()).folder("etc", look());
    for (int i = 0; i < size / 8; i++) {
      String folder = folders.get(random.nextInt(folders.size())) + "/folder" + number + "-" + i;
      folders.add(folder);
      attribute(tar, 4);
      tar.folder(folder, look());
    }
    for (int i = 0; i < size; i++) {
      String folder = folders.get(random.nextInt(folders.size()));
      String name = folder + "/" + number + "-" + i;
      switch (random.nextInt(12)) {
        case 0 -> tar.symlink(folder + "/sym" + number + "-" + i, "../target" + i, look());
        case 1 -> tar.device(folder + "/device" + number + "-" + i, i % 90, look());
        case 2 -> tar.fifo(folder + "/fifo" + number + "-" + i, look());
        case 3 -> link(tar, files, folder + "/z-link" + number + "-" + i);
        case 4 -> tar.file("unnamed" + number + "-" + i + "/in-between/" + i, body(), look());
        default -> {
          attribute(tar, 3);
          tar.file(name, body(), look());
          files.add(name);
        }
      }
    }
    if (number > 0) {
      tar.file("etc/.wh.hidden" + number, new byte[0], look());
      tar.file("usr/lib/.wh..wh..opq", new byte[0], look());
    }
    return tar.end();
  }

  private void attribute(LayerTar tar, int oneIn) {
    if (random.nextInt(oneIn) == 0) {
      tar.attribute("user.note", "value " + random.nextInt(100));
    }
  }

  private void link(LayerTar tar, List<String> files, String name) {
    if (files.isEmpty()) {
      tar.file(name.replace("z-link", "file"), body(), look());
    } else {
      tar.hardLink(name, files.get(random.nextInt(files.size())), look());
    }
  }

  private byte[] body() {
    byte[] bytes =
        new byte
            [switch (random.nextInt(8)) {
              case 0 -> 0;
              case 1 -> 1 + random.nextInt(16);
              case 2 -> 40_000 + random.nextInt(160_000);
              default -> random.nextInt(6_000);
            }];
    random.nextBytes(bytes);
    if (bytes.length > 0) {
      bytes[0] = 1; // never all zeros
    }
    byte[] text = "some words in a file, as there are many ".getBytes(StandardCharsets.UTF_8);
    if (random.nextBoolean()) {
      for (int i = 1; i < bytes.length; i++) {
        bytes[i] = text[i % text.length];
      }
    }
    return bytes;
  }
}
