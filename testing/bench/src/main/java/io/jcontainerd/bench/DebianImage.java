package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An image as people have them: a Debian with compilers and documentation, some 30,000 files and
 * 720 MB. Making it takes minutes and the network, so it is kept for later runs.
 */
final class DebianImage {
  static final String NAME = "docker.io/library/debian-tools:2";

  private static final String PACKAGES =
      "build-essential,git,python3,vim,perl-doc,manpages-dev,locales,ca-certificates,"
          + "linux-libc-dev,python3-dev,golang-1.19-src";
  private static final String RELEASE = "bookworm";
  private static final String MIRROR = "http://deb.debian.org/debian";

  private DebianImage() {}

  /** The archive in a folder of kept things; made if it is not there yet. */
  static Path in(Path folder) throws IOException, InterruptedException {
    Path archive = folder.resolve("debian-tools-2.tar");
    if (Files.exists(archive)) {
      return archive;
    }
    Files.createDirectories(folder);
    Path work = Files.createTempDirectory(folder, "debian");
    try {
      Path tree = work.resolve("tree");
      System.out.println("# making an image with debootstrap, once");
      Commands.run(
          List.of(
              "debootstrap",
              "--variant=minbase",
              "--include=" + PACKAGES,
              RELEASE,
              tree.toString(),
              MIRROR));
      Commands.run(
          List.of(
              "rm",
              "-rf",
              tree.resolve("var/cache/apt").toString(),
              tree.resolve("var/lib/apt/lists").toString()));
      Path tar = work.resolve("layer.tar");
      Commands.run(
          List.of("tar", "--numeric-owner", "-C", tree.toString(), "-cf", tar.toString(), "."));
      Path fresh = work.resolve("image.tar");
      OciArchive.write(fresh, NAME, tar, OciArchive.Packing.GZIP);
      Files.move(fresh, archive);
    } finally {
      Commands.run(List.of("rm", "-rf", work.toString()));
    }
    return archive;
  }
}
