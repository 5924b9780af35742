package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A copy of a program in memory that nobody can change any more (memfd_create(2) with all seals of
 * fcntl(2)).
 *
 * <p>An OCI runtime must not be executed from a file that a container could write to by way of
 * {@code /proc/PID/exe} (CVE-2019-5736), so crun and runc make such a copy of themselves in every
 * command, unless they see that they run from one. Executed from this one, they need not.
 *
 * <p>Safe for many threads. It is gone when it is closed and nobody executes it.
 */
public final class SealedProgram implements AutoCloseable {
  private static final int SEALS =
      DescriptorCalls.F_SEAL_SEAL
          | DescriptorCalls.F_SEAL_SHRINK
          | DescriptorCalls.F_SEAL_GROW
          | DescriptorCalls.F_SEAL_WRITE;
  private static final int FLAGS = DescriptorCalls.MFD_CLOEXEC | DescriptorCalls.MFD_ALLOW_SEALING;
  private static final int CHUNK = 64 * 1024;

  private final OwnedDescriptor memory;

  private SealedProgram(OwnedDescriptor memory) {
    this.memory = memory;
  }

  /**
   * Copies a program.
   *
   * @throws IOException also where the kernel is set not to execute such copies (the sysctl {@code
   *     vm.memfd_noexec})
   */
  public static SealedProgram of(Path program) throws IOException {
    OwnedDescriptor memory = memory(String.valueOf(program.getFileName()));
    boolean done = false;
    try {
      copy(program, memory);
      Files.setPosixFilePermissions(within(memory), PosixFilePermissions.fromString("r-xr-xr-x"));
      DescriptorCalls.fcntl(memory.number(), DescriptorCalls.F_ADD_SEALS, SEALS);
      done = true;
      return new SealedProgram(memory);
    } finally {
      if (!done) {
        memory.close();
      }
    }
  }

  /** Kernels before 6.3 do not know that it is to be executed, and refuse the word. */
  private static OwnedDescriptor memory(String label) throws ErrnoException {
    try {
      return OwnedDescriptor.owning(
          PipeCalls.memfd_create(label, FLAGS | DescriptorCalls.MFD_EXEC));
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
      return OwnedDescriptor.owning(PipeCalls.memfd_create(label, FLAGS));
    }
  }

  private static void copy(Path program, OwnedDescriptor memory) throws IOException {
    try (FileChannel source = FileChannel.open(program, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      ByteBuffer buffer = arena.allocate(CHUNK).asByteBuffer();
      while (source.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          memory.write(buffer);
        }
        buffer.clear();
      }
    }
  }

  /** Where any process of this machine's first pid namespace can execute it. */
  public Path path() {
    return within(memory);
  }

  private static Path within(OwnedDescriptor memory) {
    // not /proc/self: a child closes what it is not given before it executes
    return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + memory.number());
  }

  @Override
  public void close() {
    memory.close();
  }
}
