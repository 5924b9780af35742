package io.jcontainerd.testkit.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Trees to try things on. Most of it needs root. */
public final class Samples {
  private Samples() {}

  /** Everything that a file can be, except for sockets and sparse files. */
  public static void everyKind(Path root, Kernel kernel) throws IOException {
    Files.createDirectories(root.resolve("folder/deep"));
    Files.writeString(root.resolve("folder/file"), "text");
    Files.createLink(root.resolve("folder/deep/link"), root.resolve("folder/file"));
    Files.createSymbolicLink(root.resolve("symlink"), Path.of("folder/missing"));
    Files.writeString(root.resolve("setuid"), "x");
    Files.setAttribute(root.resolve("setuid"), "unix:uid", 12);
    Files.setAttribute(root.resolve("setuid"), "unix:gid", 34);
    Files.setAttribute(root.resolve("setuid"), "unix:mode", 0104751);
    Files.setAttribute(root.resolve("symlink"), "unix:uid", 56, LinkOption.NOFOLLOW_LINKS);
    kernel.setExtendedAttribute(root.resolve("folder/file"), "user.note", new byte[] {0, 1, 2, -1});
    kernel.setExtendedAttribute(
        root.resolve("setuid"),
        "security.capability",
        HexFormat.of().parseHex("0100000200040000000000000000000000000000"));
    sh(root, "mknod null c 1 3; mknod block b 7 300; mkfifo fifo");
    Files.setPosixFilePermissions(
        root.resolve("folder"), PosixFilePermissions.fromString("rwxr-x---"));
    var time = FileTime.from(Instant.parse("2001-02-03T04:05:06.123456789Z"));
    for (String path : List.of("folder/file", "setuid", "null", "folder/deep", "folder")) {
      Files.setLastModifiedTime(root.resolve(path), time);
    }
  }

  /** Bytes that cannot be packed smaller, the same each time. */
  public static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  /**
   * Runs a shell script in a folder; a step that fails fails the test.
   *
   * @param arguments {@code $1} and so on
   * @return what it wrote to its standard output
   */
  public static byte[] bytesOf(Path folder, String script, Object... arguments) throws IOException {
    var command = new java.util.ArrayList<>(List.of("sh", "-ec", script, "sh"));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var output = process.getInputStream()) {
      byte[] written = output.readAllBytes();
      assertThat(process.waitFor()).as(script).isZero();
      return written;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** As {@link #bytesOf}, as text without the space around it. */
  public static String sh(Path folder, String script, Object... arguments) throws IOException {
    return new String(bytesOf(folder, script, arguments), StandardCharsets.UTF_8).strip();
  }
}
