package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Programs that the daemon and its shims run, each in a script before it that waits for as long as
 * there is a file of that word.
 */
final class Hang {
  private final Path folder;

  /**
   * @param folder for the files and the scripts
   */
  Hang(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
  }

  private Path file(String word) {
    return folder.resolve("hang-" + word);
  }

  /** From now on what the word stands for hangs. */
  void on(String word) throws IOException {
    Files.writeString(file(word), "");
  }

  /** It goes on. */
  void off(String word) throws IOException {
    Files.deleteIfExists(file(word));
  }

  /**
   * An OCI runtime whose commands hang, each by its own name.
   *
   * @param real what is run in the end
   */
  Path runtime(Path real) throws IOException {
    return script(
        folder.resolve("oci-runtime"),
        """
        for word; do
          case $word in create|start|exec|kill|delete) command=$word; break ;; esac
        done
        while [ -n "$command" ] && [ -e %s/hang-$command ]; do sleep 0.02; done
        exec %s "$@"
        """
            .formatted(folder, real));
  }

  /** A program for mounts of type {@code fuse3.…}, which shows the source in the target. */
  void mounter(Path bin) throws IOException {
    Files.createDirectories(bin);
    script(
        bin.resolve("mount.fuse3"),
        """
        while [ -e %s/hang-mount ]; do sleep 0.02; done
        exec mount --bind "$1" "$2"
        """
            .formatted(folder));
  }

  /** A logger that says late that it is ready. */
  Path logger() throws IOException {
    return script(
        folder.resolve("logger"),
        """
        while [ -e %s/hang-ready ]; do sleep 0.02; done
        exec 5>&-
        exec cat <&3 >/dev/null
        """
            .formatted(folder));
  }

  /** A shim that starts late. */
  Path shim(Path real) throws IOException {
    return script(
        folder.resolve("containerd-shim-late-v2"),
        """
        for word; do action=$word; done
        while [ "$action" = start ] && [ -e %s/hang-shim ]; do sleep 0.02; done
        exec %s "$@"
        """
            .formatted(folder, real));
  }

  private static Path script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return file;
  }
}
