package io.jcontainerd.testkit.disk;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * File systems in files, mounted through loop devices, which the kernel frees with the mount. A
 * test that needs a file system which this machine does not have is skipped with the reason.
 */
public final class LoopDisk {
  private static final int SECONDS = 60;

  private LoopDisk() {}

  /**
   * Makes a file with an empty file system and mounts it. Root is needed. Who unmounts it deletes
   * the file.
   *
   * @param image the file to make; it is sparse
   * @param at an existing folder
   * @param type as {@code mkfs.TYPE} and {@code mount -t} call it
   */
  public static void mount(Path image, Path at, String type, long bytes, String... mkfsOptions)
      throws IOException {
    requireKernel(type);
    image(image, type, bytes, mkfsOptions);
    String _ = run("mount", "-t", type, "-o", "loop", image.toString(), at.toString());
  }

  /** Makes a file with an empty file system. */
  public static void image(Path file, String type, long bytes, String... mkfsOptions)
      throws IOException {
    String program = "mkfs." + type;
    requireProgram(program);
    try (var image = new RandomAccessFile(file.toFile(), "rw")) {
      image.setLength(bytes);
    }
    var command = new ArrayList<>(List.of(program, "-q"));
    command.addAll(List.of(mkfsOptions));
    command.add(file.toString());
    String _ = run(command.toArray(String[]::new));
  }

  /** Skips the test if the kernel does not know the file system. */
  public static void requireKernel(String type) throws IOException {
    boolean known =
        Files.readAllLines(Path.of("/proc/filesystems")).stream()
            .anyMatch(line -> line.endsWith("\t" + type));
    assumeTrue(known, "this kernel has no " + type);
  }

  /** Skips the test if there is no such program. */
  public static void requireProgram(String name) {
    String path = Objects.requireNonNullElse(System.getenv("PATH"), "") + ":/usr/sbin:/sbin";
    boolean found = false;
    for (String folder : path.split(":", -1)) {
      found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, name));
    }
    assumeTrue(found, "this machine has no program " + name);
  }

  /** What a program prints; fails if it does not end well and in time. */
  static String run(String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(String.join(" ", command) + ": not done in " + SECONDS + " s");
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output.strip());
    }
    return output;
  }
}
