package io.jcontainerd.daemon.storage;

import io.jcontainerd.core.check.Damage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/** Ways to damage what is stored; as far as possible without leaving another trace. */
enum Corruption {
  FLIPPED_BIT("flipped bit", Damage.CONTENT) {
    @Override
    boolean fits(Path file) throws IOException {
      return isFile(file) && Files.size(file) > 0;
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      keepingTime(
          file,
          channel -> {
            long at = Math.floorMod(random.nextLong(), channel.size());
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8)));
            channel.write(one.flip(), at);
          });
    }
  },
  TRUNCATED("truncated", Damage.SIZE) {
    @Override
    boolean fits(Path file) throws IOException {
      return FLIPPED_BIT.fits(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      keepingTime(
          file, channel -> channel.truncate(Math.floorMod(random.nextLong(), channel.size())));
    }
  },
  ZEROED("zeroed", Damage.CONTENT) {
    @Override
    boolean fits(Path file) throws IOException {
      return FLIPPED_BIT.fits(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      keepingTime(file, channel -> channel.write(ByteBuffer.allocate((int) channel.size()), 0));
    }
  },
  EMPTIED("zero length", Damage.SIZE) {
    @Override
    boolean fits(Path file) throws IOException {
      return FLIPPED_BIT.fits(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      keepingTime(file, channel -> channel.truncate(0));
    }
  },
  GROWN("bytes appended", Damage.SIZE) {
    @Override
    boolean fits(Path file) {
      return isFile(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      keepingTime(file, channel -> channel.write(ByteBuffer.wrap(new byte[3]), channel.size()));
    }
  },
  DELETED("deleted", Damage.MISSING) {
    @Override
    boolean fits(Path file) {
      return !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      Files.delete(file);
    }
  },
  EXTRA_FILE("extra file", Damage.EXTRA) {
    @Override
    boolean fits(Path file) {
      return Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      Files.writeString(file.resolve("extra-" + random.nextInt(1_000_000)), "not of this layer");
    }
  },
  WRONG_MODE("wrong mode", Damage.MODE) {
    @Override
    boolean fits(Path file) {
      return !Files.isSymbolicLink(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      int mode = (int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777;
      Files.setAttribute(file, "unix:mode", mode ^ 1 << random.nextInt(12));
    }
  },
  WRONG_OWNER("wrong owner", Damage.OWNER) {
    @Override
    boolean fits(Path file) {
      return true;
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      String which = random.nextBoolean() ? "unix:uid" : "unix:gid";
      int id = (int) Files.getAttribute(file, which, LinkOption.NOFOLLOW_LINKS);
      Files.setAttribute(file, which, id + 1 + random.nextInt(1000), LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    Set<Damage> seen() {
      return Set.of(Damage.OWNER, Damage.MODE); // the kernel takes setuid bits away
    }
  },
  WRONG_ATTRIBUTE("wrong attribute", Damage.ATTRIBUTES) {
    @Override
    boolean fits(Path file) {
      return isFile(file) || Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      var view = Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
      List<String> names = view.list().stream().sorted().toList();
      if (!names.isEmpty() && random.nextBoolean()) {
        view.delete(names.getFirst());
      } else {
        String name = names.isEmpty() ? "added" : names.getFirst();
        view.write(name, StandardCharsets.UTF_8.encode("another value"));
      }
    }
  },
  WRONG_TARGET("wrong link target", Damage.TARGET) {
    @Override
    boolean fits(Path file) {
      return Files.isSymbolicLink(file);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      Path target = Files.readSymbolicLink(file);
      Files.delete(file);
      Files.createSymbolicLink(file, Path.of(target + "x"));
    }
  },
  REPLACED_TYPE("replaced type", Damage.TYPE) {
    @Override
    boolean fits(Path file) {
      return true;
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      boolean folder = Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
      deleteTree(file);
      if (folder) {
        Files.writeString(file, "a folder before");
      } else {
        Files.createDirectory(file);
      }
    }
  },
  WRONG_TIME("wrong time", Damage.TIME) {
    @Override
    boolean fits(Path file) {
      return isFile(file) || Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_500_000_000_000L + random.nextInt()));
    }
  },
  MISSING_FOLDER("missing folder", Damage.MISSING) {
    @Override
    boolean fits(Path file) {
      return Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      deleteTree(file);
    }
  },
  BROKEN_LINK("hard link broken", Damage.LINK) {
    @Override
    boolean fits(Path file) throws IOException {
      // in an upper layer its other name may have been replaced
      return isFile(file) && (int) Files.getAttribute(file, "unix:nlink") > 1;
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      Files.write(file, bytes);
    }
  },
  WRONG_DEVICE("wrong device", Damage.DEVICE) {
    @Override
    boolean fits(Path file) {
      return file.getFileName().toString().startsWith("device");
    }

    @Override
    void strike(Path file, Random random) throws IOException {
      Files.delete(file);
      try {
        int code =
            new ProcessBuilder("mknod", file.toString(), "c", "1", "" + (100 + random.nextInt(99)))
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) {
          throw new IOException("mknod " + file + " failed");
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  };

  private final String words;
  private final Damage damage;

  Corruption(String words, Damage damage) {
    this.words = words;
    this.damage = damage;
  }

  String words() {
    return words;
  }

  /** What a check may call it. */
  Set<Damage> seen() {
    return Set.of(damage);
  }

  /** Whether the file can be damaged so. */
  abstract boolean fits(Path file) throws IOException;

  abstract void strike(Path file, Random random) throws IOException;

  static boolean isFile(Path file) {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
  }

  static void deleteTree(Path path) throws IOException {
    try (Stream<Path> tree = Files.walk(path)) {
      for (Path below : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(below);
      }
    }
  }

  /** Does something to a file. */
  private interface Change {
    void to(FileChannel channel) throws IOException;
  }

  /** As a disk does that forgets bits: the file's times do not tell. */
  private static void keepingTime(Path file, Change change) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      change.to(channel);
    }
    Files.setLastModifiedTime(file, time);
  }
}
