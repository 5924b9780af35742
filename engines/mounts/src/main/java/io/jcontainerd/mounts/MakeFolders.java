package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code mkdir/}: makes the folders that options of the form {@code
 * X-containerd.mkdir.path=PATH[:MODE[:UID:GID]]} name, where they are not there. The folder above
 * must be.
 */
record MakeFolders(Files files, Roots roots) implements Transform {
  private static final String PREFIX = "X-containerd.mkdir.";
  private static final String PATH = PREFIX + "path=";
  private static final int USUAL_MODE = 0700;
  private static final int KEEP = -1;

  private record Wish(Path path, int mode, int uid, int gid) {}

  @Override
  public Mount apply(Mount mount, List<ActiveMount> earlier) throws IOException {
    var wishes = new ArrayList<Wish>();
    var others = new ArrayList<String>();
    for (String option : mount.options()) {
      if (option.startsWith(PREFIX)) {
        wishes.add(wish(option));
      } else {
        others.add(option);
      }
    }
    for (Wish wish : wishes) {
      make(wish);
    }
    return new Mount(mount.type(), mount.source(), mount.target(), others);
  }

  private Wish wish(String option) {
    if (!option.startsWith(PATH)) {
      throw new InvalidArgumentException("mount option " + option + " is not known");
    }
    String[] parts = option.substring(PATH.length()).split(":", -1);
    Path path = roots.require(parts[0], "mkdir path");
    try {
      return switch (parts.length) {
        case 1 -> new Wish(path, USUAL_MODE, KEEP, KEEP);
        case 2 -> new Wish(path, mode(parts[1]), KEEP, KEEP);
        case 4 ->
            new Wish(
                path,
                mode(parts[1]),
                Integer.parseUnsignedInt(parts[2]),
                Integer.parseUnsignedInt(parts[3]));
        default ->
            throw new InvalidArgumentException(
                "mount option " + option + ": wants 1, 2 or 4 parts");
      };
    } catch (NumberFormatException e) {
      throw new InvalidArgumentException("mount option " + option + ": not a number", e);
    }
  }

  private static int mode(String text) {
    int mode = Integer.parseInt(text, 8);
    if (mode < 0 || mode > 0777) {
      throw new InvalidArgumentException("mode " + text + ": must be from 0 to 777");
    }
    return mode;
  }

  private void make(Wish wish) throws IOException {
    roots.requireNoLinks(files, wish.path(), "mkdir path");
    Optional<FileStat> there = files.stat(wish.path());
    if (there.isEmpty()) {
      files.createDirectory(wish.path(), wish.mode());
      if (wish.uid() != KEEP) {
        files.setOwner(wish.path(), wish.uid(), wish.gid());
      }
    } else if (!there.get().isDirectory()) {
      throw new NotDirectoryException(wish.path().toString());
    }
  }
}
