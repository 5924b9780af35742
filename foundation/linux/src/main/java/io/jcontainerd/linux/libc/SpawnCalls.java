package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** posix_spawn(3) with its attributes and file actions; these report errors as their result. */
public final class SpawnCalls {
  public static final int POSIX_SPAWN_SETPGROUP = 0x02;
  public static final int POSIX_SPAWN_SETSIGDEF = 0x04;
  public static final int POSIX_SPAWN_SETSIGMASK = 0x08;
  public static final int POSIX_SPAWN_SETSID = 0x80;

  private static final int SIG_SETMASK = 2;

  /** Room for {@code posix_spawnattr_t} (336 bytes in glibc) and its relatives. */
  private static final long OPAQUE_SIZE = 512;

  private static final long SIGSET_SIZE = 128;

  private static final CFunction SPAWN = new CFunction("posix_spawn");
  private static final CFunction SPAWNP = new CFunction("posix_spawnp");
  private static final CFunction EXECVPE = new CFunction("execvpe");
  private static final CFunction SIGMASK = new CFunction("pthread_sigmask");
  private static final CFunction ACTIONS_INIT = new CFunction("posix_spawn_file_actions_init");
  private static final CFunction ACTIONS_DESTROY =
      new CFunction("posix_spawn_file_actions_destroy");
  private static final CFunction ADD_DUP2 = new CFunction("posix_spawn_file_actions_adddup2");
  private static final CFunction ADD_OPEN = new CFunction("posix_spawn_file_actions_addopen");
  private static final CFunction ADD_CHDIR = new CFunction("posix_spawn_file_actions_addchdir_np");
  private static final CFunction ADD_CLOSEFROM =
      new CFunction("posix_spawn_file_actions_addclosefrom_np");
  private static final CFunction ATTR_INIT = new CFunction("posix_spawnattr_init");
  private static final CFunction ATTR_DESTROY = new CFunction("posix_spawnattr_destroy");
  private static final CFunction ATTR_SETFLAGS = new CFunction("posix_spawnattr_setflags");
  private static final CFunction ATTR_SETPGROUP = new CFunction("posix_spawnattr_setpgroup");
  private static final CFunction ATTR_SETSIGMASK = new CFunction("posix_spawnattr_setsigmask");
  private static final CFunction ATTR_SETSIGDEFAULT =
      new CFunction("posix_spawnattr_setsigdefault");

  private SpawnCalls() {}

  /** {@code posix_spawn_file_actions_t}: what the child does with descriptors, in this order. */
  public static final class FileActions implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment struct;
    private final MemorySegment capture;

    /** An empty list whose memory lives in {@code arena}. */
    public FileActions(Arena arena) throws ErrnoException {
      this.arena = arena;
      this.struct = arena.allocate(OPAQUE_SIZE, 16);
      this.capture = Libc.capture(arena);
      int rc = ACTIONS_INIT.call(capture, at(struct));
      fail(rc, "posix_spawn_file_actions_init", "");
    }

    /** The child's {@code target} becomes a copy of our {@code source}. */
    public void dup2(int source, int target) throws ErrnoException {
      int rc = ADD_DUP2.call(capture, at(struct), source, target);
      fail(rc, "posix_spawn_file_actions_adddup2", "fd " + source);
    }

    /** The child opens {@code path} as {@code target}. */
    public void open(int target, String path, int flags) throws ErrnoException {
      int rc = ADD_OPEN.call(capture, at(struct), target, at(arena.allocateFrom(path)), flags, 0);
      fail(rc, "posix_spawn_file_actions_addopen", path);
    }

    /** The child changes into {@code directory}. */
    public void chdir(String directory) throws ErrnoException {
      int rc = ADD_CHDIR.call(capture, at(struct), at(arena.allocateFrom(directory)));
      fail(rc, "posix_spawn_file_actions_addchdir_np", directory);
    }

    /** The child closes every descriptor from {@code lowest} on. */
    public void closefrom(int lowest) throws ErrnoException {
      int rc = ADD_CLOSEFROM.call(capture, at(struct), lowest);
      fail(rc, "posix_spawn_file_actions_addclosefrom_np", "");
    }

    @Override
    public void close() {
      int _ = ACTIONS_DESTROY.call(capture, at(struct));
    }
  }

  /**
   * {@code posix_spawnattr_t}: the child starts with an empty signal mask and default handlers for
   * all signals, whatever the JVM has set for itself.
   */
  public static final class Attributes implements AutoCloseable {
    private final MemorySegment struct;
    private final MemorySegment capture;

    /**
     * @param newSession the child becomes the leader of a new session
     * @param newGroup the child becomes the leader of a new process group (implied by a session)
     */
    public Attributes(Arena arena, boolean newSession, boolean newGroup) throws ErrnoException {
      this.struct = arena.allocate(OPAQUE_SIZE, 16);
      this.capture = Libc.capture(arena);
      MemorySegment none = arena.allocate(SIGSET_SIZE, 8);
      MemorySegment all = arena.allocate(SIGSET_SIZE, 8);
      all.fill((byte) 0xff);
      int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
      if (newSession) {
        flags |= POSIX_SPAWN_SETSID;
      } else if (newGroup) {
        flags |= POSIX_SPAWN_SETPGROUP;
      }
      int rc = ATTR_INIT.call(capture, at(struct));
      fail(rc, "posix_spawnattr_init", "");
      rc = ATTR_SETFLAGS.call(capture, at(struct), flags);
      fail(rc, "posix_spawnattr_setflags", "");
      rc = ATTR_SETPGROUP.call(capture, at(struct), 0);
      fail(rc, "posix_spawnattr_setpgroup", "");
      rc = ATTR_SETSIGMASK.call(capture, at(struct), at(none));
      fail(rc, "posix_spawnattr_setsigmask", "");
      rc = ATTR_SETSIGDEFAULT.call(capture, at(struct), at(all));
      fail(rc, "posix_spawnattr_setsigdefault", "");
    }

    @Override
    public void close() {
      int _ = ATTR_DESTROY.call(capture, at(struct));
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
    MemorySegment capture = Libc.capture(arena);
    CFunction spawn = program.indexOf('/') >= 0 ? SPAWN : SPAWNP;
    int rc =
        spawn.call(
            capture,
            at(pid),
            at(path),
            at(actions.struct),
            at(attributes.struct),
            at(argv),
            at(envp));
    fail(rc, "posix_spawn", program);
    return pid.get(JAVA_INT, 0);
  }

  /**
   * execvpe(3): this process becomes another program.
   *
   * @param program looked up on our path unless it has a slash
   * @param arguments with the program's name as the first
   * @param environment entries of the form {@code NAME=value}
   * @return the failure; after a success there is nobody to return to
   */
  public static ErrnoException execvpe(
      Arena arena, String program, Iterable<String> arguments, Iterable<String> environment) {
    MemorySegment path = arena.allocateFrom(program);
    MemorySegment argv = strings(arena, arguments);
    MemorySegment envp = strings(arena, environment);
    MemorySegment capture = Libc.capture(arena);
    int _ = EXECVPE.call(capture, at(path), at(argv), at(envp));
    return new ErrnoException("execvpe", program, Libc.errno(capture));
  }

  /** pthread_sigmask(3): this thread blocks no signal, nor will what it executes. */
  public static void blockNothing(Arena arena) throws ErrnoException {
    MemorySegment none = arena.allocate(SIGSET_SIZE, 8);
    int rc = SIGMASK.call(Libc.capture(arena), SIG_SETMASK, at(none), 0);
    fail(rc, "pthread_sigmask", "");
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
