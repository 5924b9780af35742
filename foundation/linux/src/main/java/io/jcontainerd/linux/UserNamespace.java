package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import io.jcontainerd.linux.libc.ProcessCalls;
import io.jcontainerd.linux.libc.SpawnCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A user namespace held by a descriptor, made for its id mappings only.
 *
 * <p>A process with many threads cannot make one, so {@code unshare(1)} does: it echoes a byte to
 * say that the namespace is there, and ends when the pipe to it is closed, even by the death of
 * this process.
 */
public final class UserNamespace implements AutoCloseable {
  private static final int READY_MILLIS = 10_000;
  private static final int SIGKILL = 9;

  private int fd;

  private UserNamespace(int fd) {
    this.fd = fd;
  }

  /** Makes a namespace with these mappings; takes some milliseconds. */
  public static UserNamespace create(List<IdRange> uids, List<IdRange> gids) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int[] in = PipeCalls.pipe2(DescriptorCalls.O_CLOEXEC);
      try {
        int[] out = PipeCalls.pipe2(DescriptorCalls.O_CLOEXEC);
        try {
          int pid = spawn(arena, in[0], out[1]);
          in[0] = close(in[0]);
          out[1] = close(out[1]);
          return withHelper(arena, pid, in[1], out[0], uids, gids);
        } finally {
          close(out[0]);
          close(out[1]);
        }
      } finally {
        close(in[0]);
        close(in[1]);
      }
    }
  }

  private static int close(int fd) throws ErrnoException {
    if (fd >= 0) {
      DescriptorCalls.close(fd);
    }
    return -1;
  }

  private static int spawn(Arena arena, int input, int output) throws IOException {
    try (var actions = new SpawnCalls.FileActions(arena);
        var attributes = new SpawnCalls.Attributes(arena, false, true)) {
      actions.dup2(input, 0);
      actions.dup2(output, 1);
      actions.open(2, "/dev/null", DescriptorCalls.O_RDWR);
      actions.closefrom(3);
      return SpawnCalls.spawn(
          arena,
          "unshare",
          List.of("unshare", "--user", "cat"),
          List.of("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
          actions,
          attributes);
    }
  }

  private static UserNamespace withHelper(
      Arena arena, int pid, int input, int output, List<IdRange> uids, List<IdRange> gids)
      throws IOException {
    try (Helper _ = new Helper(pid)) {
      awaitEcho(arena, input, output);
      writeMap(Path.of("/proc/" + pid + "/uid_map"), uids);
      writeMap(Path.of("/proc/" + pid + "/gid_map"), gids);
      byte[] link = ("/proc/" + pid + "/ns/user").getBytes(StandardCharsets.US_ASCII);
      return new UserNamespace(
          AtCalls.openat(
              AtCalls.AT_FDCWD, link, DescriptorCalls.O_RDONLY | DescriptorCalls.O_CLOEXEC, 0));
    }
  }

  /** The process that holds the namespace until there is a descriptor of it. */
  private record Helper(int pid) implements AutoCloseable {
    @Override
    public void close() throws ErrnoException {
      ProcessCalls.kill(pid, SIGKILL);
      try {
        var _ = ProcessCalls.waitid(ProcessCalls.P_PID, pid, ProcessCalls.WEXITED);
      } catch (ErrnoException e) {
        if (!e.is(Errno.ECHILD)) {
          throw e;
        }
      }
    }
  }

  private static void awaitEcho(Arena arena, int input, int output) throws IOException {
    MemorySegment one = arena.allocate(1);
    long _ = DescriptorCalls.write(input, one, 1);
    if (!Readiness.await(output, READY_MILLIS)) {
      throw new IOException("unshare --user: not ready after " + READY_MILLIS + " ms");
    }
    if (DescriptorCalls.read(output, one, 1) != 1) {
      throw new IOException("unshare --user ended: are user namespaces allowed?");
    }
  }

  /** The kernel wants the whole map in one write. */
  private static void writeMap(Path file, List<IdRange> ranges) throws IOException {
    StringBuilder map = new StringBuilder();
    ranges.forEach(range -> map.append(range.line()));
    Files.write(file, map.toString().getBytes(StandardCharsets.US_ASCII));
  }

  /** The descriptor, for calls of this package. */
  int fd() {
    if (fd < 0) {
      throw new IllegalStateException("user namespace is closed");
    }
    return fd;
  }

  @Override
  public void close() throws ErrnoException {
    int open = fd;
    fd = -1;
    close(open);
  }
}
