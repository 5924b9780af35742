package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** posix_spawn(3) with its attributes and file actions; these report errors as their result. */
public final class SpawnCalls {
  public static final int POSIX_SPAWN_SETPGROUP = 0x02;
  public static final int POSIX_SPAWN_SETSIGDEF = 0x04;
  public static final int POSIX_SPAWN_SETSIGMASK = 0x08;
  public static final int POSIX_SPAWN_SETSID = 0x80;

  /** Room for {@code posix_spawnattr_t} (336 bytes in glibc) and its relatives. */
  private static final long OPAQUE_SIZE = 512;

  private static final long SIGSET_SIZE = 128;

  private static final CFunction SPAWN =
      Libc.bindPlain(
          "posix_spawn",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
  private static final CFunction SPAWNP =
      Libc.bindPlain(
          "posix_spawnp",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
  private static final CFunction ACTIONS_INIT = unary("posix_spawn_file_actions_init");
  private static final CFunction ACTIONS_DESTROY = unary("posix_spawn_file_actions_destroy");
  private static final CFunction ADD_DUP2 =
      Libc.bindPlain(
          "posix_spawn_file_actions_adddup2",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final CFunction ADD_OPEN =
      Libc.bindPlain(
          "posix_spawn_file_actions_addopen",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final CFunction ADD_CHDIR =
      Libc.bindPlain(
          "posix_spawn_file_actions_addchdir_np",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  private static final CFunction ADD_CLOSEFROM =
      Libc.bindPlain(
          "posix_spawn_file_actions_addclosefrom_np",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final CFunction ATTR_INIT = unary("posix_spawnattr_init");
  private static final CFunction ATTR_DESTROY = unary("posix_spawnattr_destroy");
  private static final CFunction ATTR_SETFLAGS =
      Libc.bindPlain(
          "posix_spawnattr_setflags", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_SHORT));
  private static final CFunction ATTR_SETPGROUP =
      Libc.bindPlain(
          "posix_spawnattr_setpgroup", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final CFunction ATTR_SETSIGMASK =
      Libc.bindPlain(
          "posix_spawnattr_setsigmask", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  private static final CFunction ATTR_SETSIGDEFAULT =
      Libc.bindPlain(
          "posix_spawnattr_setsigdefault", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));

  private SpawnCalls() {}

  private static CFunction unary(String name) {
    return Libc.bindPlain(name, FunctionDescriptor.of(JAVA_INT, ADDRESS));
  }

  /** {@code posix_spawn_file_actions_t}: what the child does with descriptors, in this order. */
  public static final class FileActions implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment struct;

    /** An empty list whose memory lives in {@code arena}. */
    public FileActions(Arena arena) throws ErrnoException {
      this.arena = arena;
      this.struct = arena.allocate(OPAQUE_SIZE, 16);
      try {
        int rc = (int) ACTIONS_INIT.handle().invokeExact(struct);
        fail(rc, "posix_spawn_file_actions_init", "");
      } catch (Throwable t) {
        throw Libc.failure("posix_spawn_file_actions_init", t);
      }
    }

    /** The child's {@code target} becomes a copy of our {@code source}. */
    public void dup2(int source, int target) throws ErrnoException {
      try {
        int rc = (int) ADD_DUP2.handle().invokeExact(struct, source, target);
        fail(rc, "posix_spawn_file_actions_adddup2", "fd " + source);
      } catch (Throwable t) {
        throw Libc.failure("posix_spawn_file_actions_adddup2", t);
      }
    }

    /** The child opens {@code path} as {@code target}. */
    public void open(int target, String path, int flags) throws ErrnoException {
      try {
        int rc =
            (int) ADD_OPEN.handle().invokeExact(struct, target, arena.allocateFrom(path), flags, 0);
        fail(rc, "posix_spawn_file_actions_addopen", path);
      } catch (Throwable t) {
        throw Libc.failure("posix_spawn_file_actions_addopen", t);
      }
    }

    /** The child changes into {@code directory}. */
    public void chdir(String directory) throws ErrnoException {
      try {
        int rc = (int) ADD_CHDIR.handle().invokeExact(struct, arena.allocateFrom(directory));
        fail(rc, "posix_spawn_file_actions_addchdir_np", directory);
      } catch (Throwable t) {
        throw Libc.failure("posix_spawn_file_actions_addchdir_np", t);
      }
    }

    /** The child closes every descriptor from {@code lowest} on. */
    public void closefrom(int lowest) throws ErrnoException {
      try {
        int rc = (int) ADD_CLOSEFROM.handle().invokeExact(struct, lowest);
        fail(rc, "posix_spawn_file_actions_addclosefrom_np", "");
      } catch (Throwable t) {
        throw Libc.failure("posix_spawn_file_actions_addclosefrom_np", t);
      }
    }

    @Override
    public void close() {
      try {
        int _ = (int) ACTIONS_DESTROY.handle().invokeExact(struct);
      } catch (Throwable t) {
        throw new AssertionError("posix_spawn_file_actions_destroy", t);
      }
    }
  }

  /**
   * {@code posix_spawnattr_t}: the child starts with an empty signal mask and default handlers for
   * all signals, whatever the JVM has set for itself.
   */
  public static final class Attributes implements AutoCloseable {
    private final MemorySegment struct;

    /**
     * @param newSession the child becomes the leader of a new session
     * @param newGroup the child becomes the leader of a new process group (implied by a session)
     */
    public Attributes(Arena arena, boolean newSession, boolean newGroup) throws ErrnoException {
      this.struct = arena.allocate(OPAQUE_SIZE, 16);
      MemorySegment none = arena.allocate(SIGSET_SIZE, 8);
      MemorySegment all = arena.allocate(SIGSET_SIZE, 8);
      all.fill((byte) 0xff);
      int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
      if (newSession) {
        flags |= POSIX_SPAWN_SETSID;
      } else if (newGroup) {
        flags |= POSIX_SPAWN_SETPGROUP;
      }
      short bits = (short) flags;
      try {
        int rc = (int) ATTR_INIT.handle().invokeExact(struct);
        fail(rc, "posix_spawnattr_init", "");
        rc = (int) ATTR_SETFLAGS.handle().invokeExact(struct, bits);
        fail(rc, "posix_spawnattr_setflags", "");
        rc = (int) ATTR_SETPGROUP.handle().invokeExact(struct, 0);
        fail(rc, "posix_spawnattr_setpgroup", "");
        rc = (int) ATTR_SETSIGMASK.handle().invokeExact(struct, none);
        fail(rc, "posix_spawnattr_setsigmask", "");
        rc = (int) ATTR_SETSIGDEFAULT.handle().invokeExact(struct, all);
        fail(rc, "posix_spawnattr_setsigdefault", "");
      } catch (Throwable t) {
        throw Libc.failure("posix_spawnattr_init", t);
      }
    }

    @Override
    public void close() {
      try {
        int _ = (int) ATTR_DESTROY.handle().invokeExact(struct);
      } catch (Throwable t) {
        throw new AssertionError("posix_spawnattr_destroy", t);
      }
    }
  }

  /**
   * posix_spawn(3), or posix_spawnp(3) when {@code program} has no slash: the pid of the child.
   *
   * @param arguments with the program's name as the first
   * @param environment entries of the form {@code NAME=value}
   */
  public static int spawn(
      Arena arena,
      String program,
      Iterable<String> arguments,
      Iterable<String> environment,
      FileActions actions,
      Attributes attributes)
      throws ErrnoException {
    MemorySegment pid = arena.allocate(JAVA_INT);
    MemorySegment path = arena.allocateFrom(program);
    MemorySegment argv = strings(arena, arguments);
    MemorySegment envp = strings(arena, environment);
    CFunction spawn = program.indexOf('/') >= 0 ? SPAWN : SPAWNP;
    try {
      int rc =
          (int)
              spawn.handle().invokeExact(pid, path, actions.struct, attributes.struct, argv, envp);
      fail(rc, "posix_spawn", program);
      return pid.get(JAVA_INT, 0);
    } catch (Throwable t) {
      throw Libc.failure("posix_spawn", t);
    }
  }

  private static MemorySegment strings(Arena arena, Iterable<String> values) {
    int count = 0;
    for (String _ : values) {
      count++;
    }
    MemorySegment array = arena.allocate(ADDRESS, count + 1L);
    int index = 0;
    for (String value : values) {
      array.setAtIndex(ADDRESS, index++, arena.allocateFrom(value));
    }
    array.setAtIndex(ADDRESS, index, MemorySegment.NULL);
    return array;
  }

  private static void fail(int error, String call, String subject) throws ErrnoException {
    if (error != 0) {
      throw new ErrnoException(call, subject, error);
    }
  }
}
