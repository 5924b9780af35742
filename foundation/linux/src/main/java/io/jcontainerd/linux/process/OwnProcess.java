package io.jcontainerd.linux.process;

import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.SpawnCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What this process can do with itself. */
public final class OwnProcess {
  private static final int STANDARD = 3;
  private static final int FD_CLOEXEC = 1;

  private OwnProcess() {}

  /**
   * Becomes another program, which keeps the number, the parent, the folder and the standard
   * streams of this process, and nothing else: all that is sent to this process is the program's.
   * Returns only by a failure, of which nothing has changed but that no descriptor above the
   * standard streams is inherited any more.
   *
   * @param command the program, looked up on our path unless it has a slash, and its arguments
   * @param environment all of it
   * @throws IOException also for a program that does not exist or cannot be executed
   */
  public static AssertionError become(List<String> command, Map<String, String> environment)
      throws IOException {
    keepDescriptors();
    List<String> variables = new ArrayList<>();
    environment.forEach((name, value) -> variables.add(name + "=" + value));
    try (Arena arena = Arena.ofConfined()) {
      SpawnCalls.blockNothing(arena);
      throw SpawnCalls.execvpe(arena, command.getFirst(), command, variables);
    }
  }

  /** Those of the virtual machine are not all marked. */
  private static void keepDescriptors() throws IOException {
    List<Integer> open = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        open.add(Integer.valueOf(entry.getFileName().toString()));
      }
    }
    for (int number : open) {
      if (number >= STANDARD
          && Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS)) {
        int _ = DescriptorCalls.fcntl(number, DescriptorCalls.F_SETFD, FD_CLOEXEC);
      }
    }
  }
}
