package io.jcontainerd.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import io.jcontainerd.linux.libc.ProcessCalls;
import io.jcontainerd.linux.libc.SpawnCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Mounts of type {@code fuse.NAME} and {@code fuse3.NAME}, made by {@code mount.fuse(8)} and {@code
 * mount.fuse3}, which return when the file system is there.
 */
final class FuseHelper {
  private static final long MOST_OUTPUT = 4096;
  private static final int DEADLINE_MILLIS = 60_000;
  private static final int SIGKILL = 9;

  private FuseHelper() {}

  static void mount(Mount mount, Path target) throws IOException {
    int dot = mount.type().indexOf('.');
    String program = "mount." + mount.type().substring(0, dot);
    List<String> command =
        new ArrayList<>(List.of(program, mount.source(), target.toString(), "-t"));
    command.add(mount.type().substring(dot + 1));
    if (!mount.options().isEmpty()) {
      command.addAll(List.of("-o", String.join(",", mount.options())));
    }
    Blocking.run(program, () -> run(program, command));
  }

  private static void run(String program, List<String> command) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int said = PipeCalls.memfd_create("said", DescriptorCalls.MFD_CLOEXEC);
      try {
        int pid = spawn(arena, program, command, said);
        ProcessCalls.Siginfo end = await(program, pid);
        if (end.code() != ProcessCalls.CLD_EXITED || end.status() != 0) {
          throw new IOException(
              String.join(" ", command) + ": status " + end.status() + ": " + text(arena, said));
        }
      } finally {
        DescriptorCalls.close(said);
      }
    }
  }

  private static ProcessCalls.Siginfo await(String program, int pid) throws IOException {
    int pidfd = ProcessCalls.pidfd_open(pid);
    try {
      boolean ended = Readiness.await(pidfd, DEADLINE_MILLIS);
      if (!ended) {
        ProcessCalls.pidfd_send_signal(pidfd, SIGKILL);
      }
      ProcessCalls.Siginfo end =
          ProcessCalls.waitid(ProcessCalls.P_PIDFD, pidfd, ProcessCalls.WEXITED);
      if (!ended) {
        throw new IOException(program + ": not done after " + DEADLINE_MILLIS + " ms");
      }
      return end;
    } finally {
      DescriptorCalls.close(pidfd);
    }
  }

  private static int spawn(Arena arena, String program, List<String> command, int output)
      throws IOException {
    List<String> environment = new ArrayList<>();
    for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
      environment.add(variable.getKey() + "=" + variable.getValue());
    }
    try (var actions = new SpawnCalls.FileActions(arena);
        var attributes = new SpawnCalls.Attributes(arena, true, false)) {
      actions.open(0, "/dev/null", DescriptorCalls.O_RDONLY);
      actions.dup2(output, 1);
      actions.dup2(output, 2);
      actions.closefrom(3);
      return SpawnCalls.spawn(arena, program, command, environment, actions, attributes);
    }
  }

  private static String text(Arena arena, int file) throws IOException {
    MemorySegment memory = arena.allocate(MOST_OUTPUT);
    long count = PipeCalls.pread(file, memory, MOST_OUTPUT, 0);
    byte[] bytes = memory.asSlice(0, count).toArray(JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8).strip();
  }
}
