package io.jcontainerd.mounts;

import io.jcontainerd.core.Sizes;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * {@code mkfs/}: makes a file system in the source, a file, if it is not there. It is made beside
 * and then renamed: what is there under the name is whole.
 */
record MakeFileSystem(Files files, Processes processes, Roots roots) implements Transform {
  private static final String PREFIX = "X-containerd.mkfs.";
  private static final Duration DEADLINE = Duration.ofMinutes(5);
  private static final int MODE = 0640;
  private static final String SUFFIX = ".new";

  /** What the options ask for. */
  private record Wish(String type, long size, String uuid, List<String> others) {}

  @Override
  public Mount apply(Mount mount, List<ActiveMount> earlier) throws IOException {
    Path file = roots.require(mount.source(), "mkfs source");
    Wish wish = wish(mount);
    roots.requireNoLinks(files, file, "mkfs source");
    if (files.stat(file).isEmpty()) {
      make(file, wish);
    }
    return new Mount(mount.type(), mount.source(), mount.target(), wish.others());
  }

  private static Wish wish(Mount mount) {
    String type = "ext4";
    long size = 0;
    String uuid = "";
    var others = new ArrayList<String>();
    for (String option : mount.options()) {
      if (!option.startsWith(PREFIX)) {
        others.add(option);
        continue;
      }
      int equals = option.indexOf('=');
      String value = equals < 0 ? "" : option.substring(equals + 1);
      switch (option.substring(PREFIX.length(), equals < 0 ? option.length() : equals)) {
        case "fs" -> type = value;
        case "size" -> size = Sizes.bytes(value);
        case "uuid" -> uuid = value;
        default -> throw new InvalidArgumentException("mount option " + option + " is not known");
      }
    }
    if (size <= 0) {
      throw new InvalidArgumentException(
          "mkfs of " + mount.source() + ": needs " + PREFIX + "size");
    }
    return new Wish(type, size, uuid, others);
  }

  private void make(Path file, Wish wish) throws IOException {
    Path folder = Objects.requireNonNull(file.getParent(), "below a root");
    // a name of its own: two may make the same one at a time, and whoever is later takes its place
    String prefix = "." + file.getFileName() + ".";
    removeLeft(folder, prefix);
    Path beside = folder.resolve(prefix + UUID.randomUUID() + SUFFIX);
    List<String> arguments = arguments(wish, beside);
    String program = "mkfs." + wish.type();
    SystemTool tool =
        SystemTool.find(program, processes, DEADLINE)
            .orElseThrow(
                () -> new FailedPreconditionException("program " + program + " is not installed"));
    try {
      try (Files.Handle image = files.open(beside, Files.Open.CREATE_NEW, MODE)) {
        image.truncate(wish.size());
      }
      tool.run(folder, arguments);
      try (Files.Handle image = files.open(beside, Files.Open.WRITE, MODE)) {
        image.force();
      }
      files.renameNew(beside, file);
      files.forceDirectory(folder);
    } catch (FileAlreadyExistsException _) {
      files.delete(beside); // somebody has made it meanwhile, and may have mounted it
    } catch (IOException | RuntimeException e) {
      try {
        files.delete(beside);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** What a dead process was making. Whoever still makes one began less than the deadline ago. */
  private void removeLeft(Path folder, String prefix) throws IOException {
    Instant longAgo = Time.SYSTEM.now().minus(DEADLINE.multipliedBy(2));
    for (String name : files.list(folder)) {
      if (name.startsWith(prefix) && name.endsWith(SUFFIX)) {
        Path left = folder.resolve(name);
        if (files.stat(left).filter(stat -> stat.modified().isBefore(longAgo)).isPresent()) {
          files.delete(left);
        }
      }
    }
  }

  private static List<String> arguments(Wish wish, Path file) {
    var arguments = new ArrayList<>(List.of("-q"));
    switch (wish.type()) {
      case "ext2", "ext3", "ext4" -> {
        if (!wish.uuid().isEmpty()) {
          arguments.addAll(List.of("-U", wish.uuid()));
        }
      }
      case "xfs" -> {
        if (!wish.uuid().isEmpty()) {
          arguments.addAll(List.of("-m", "uuid=" + wish.uuid()));
        }
      }
      default ->
          throw new InvalidArgumentException(
              "file system \"" + wish.type() + "\" cannot be made; ext2, ext3, ext4 and xfs can");
    }
    arguments.add(file.toString());
    return arguments;
  }
}
