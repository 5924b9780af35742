package io.jcontainerd.linux.descriptor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A file descriptor and the duty to close it. Always close-on-exec, so that no child gets it by
 * accident. Closing twice does no harm.
 *
 * <p>One owner at a time: who closes must know that nobody else is inside a call on it, for the
 * kernel gives the number away again at once. A descriptor that a {@link Reactor} watches is closed
 * through its registration.
 */
public final class OwnedDescriptor implements AutoCloseable {
  private static final int CHUNK = 16 * 1024;

  private final int number;
  private final AtomicBoolean closed = new AtomicBoolean();

  private OwnedDescriptor(int number) {
    this.number = number;
  }

  /** Takes over a number that nobody else will close. */
  public static OwnedDescriptor owning(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a descriptor: " + number);
    }
    return new OwnedDescriptor(number);
  }

  /** How a file is opened. */
  public enum Access {
    /** For reading; blocks on a FIFO without a writer. */
    READ(DescriptorCalls.O_RDONLY),
    /** For reading, never waiting for anything. */
    READ_NONBLOCKING(DescriptorCalls.O_RDONLY | DescriptorCalls.O_NONBLOCK),
    /** For writing; blocks on a FIFO without a reader. */
    WRITE(DescriptorCalls.O_WRONLY),
    /** For writing, never waiting; a FIFO without a reader is refused with ENXIO. */
    WRITE_NONBLOCKING(DescriptorCalls.O_WRONLY | DescriptorCalls.O_NONBLOCK),
    /** For both; on a FIFO this never waits for another end and counts as both ends. */
    READ_WRITE(DescriptorCalls.O_RDWR),
    /** For both, never waiting for anything. */
    READ_WRITE_NONBLOCKING(DescriptorCalls.O_RDWR | DescriptorCalls.O_NONBLOCK),
    /** For adding at the end of a file, which is made with mode 0644 if it is missing. */
    APPEND(DescriptorCalls.O_WRONLY | DescriptorCalls.O_APPEND | DescriptorCalls.O_CREAT);

    private final int flags;

    Access(int flags) {
      this.flags = flags;
    }
  }

  /** Opens a file; it never becomes a controlling terminal. */
  public static OwnedDescriptor open(Path path, Access access) throws ErrnoException {
    int flags = access.flags | DescriptorCalls.O_CLOEXEC | DescriptorCalls.O_NOCTTY;
    return new OwnedDescriptor(DescriptorCalls.open(path.toString(), flags, 0644));
  }

  /** A file without a name, in memory: what a child writes to it can be read when it has ended. */
  public static OwnedDescriptor inMemory(String label) throws ErrnoException {
    return new OwnedDescriptor(PipeCalls.memfd_create(label, DescriptorCalls.MFD_CLOEXEC));
  }

  /** A counter that wakes who waits for it; never blocks (eventfd(2)). */
  public static OwnedDescriptor eventCounter() throws ErrnoException {
    return new OwnedDescriptor(
        PipeCalls.eventfd(0, DescriptorCalls.EFD_CLOEXEC | DescriptorCalls.EFD_NONBLOCK));
  }

  /** A further descriptor of the same open file, with a number of {@code lowest} or more. */
  public OwnedDescriptor duplicate(int lowest) throws ErrnoException {
    return new OwnedDescriptor(
        DescriptorCalls.fcntl(number(), DescriptorCalls.F_DUPFD_CLOEXEC, lowest));
  }

  /** The number; an error once it was closed. */
  public int number() {
    if (closed.get()) {
      throw new IllegalStateException("descriptor " + number + " is closed");
    }
    return number;
  }

  /** Whether it was closed. */
  public boolean isClosed() {
    return closed.get();
  }

  /** Makes reads and writes return at once, for every descriptor of the same open file. */
  public void setNonBlocking() throws ErrnoException {
    int flags = DescriptorCalls.fcntl(number(), DescriptorCalls.F_GETFL, 0);
    DescriptorCalls.fcntl(number(), DescriptorCalls.F_SETFL, flags | DescriptorCalls.O_NONBLOCK);
  }

  /**
   * Reads into a direct buffer.
   *
   * @return bytes read; 0 if there are none now; -1 at the end
   */
  public int read(ByteBuffer into) throws ErrnoException {
    MemorySegment memory = direct(into);
    while (true) {
      try {
        int count = (int) DescriptorCalls.read(number(), memory, memory.byteSize());
        if (count == 0) {
          return memory.byteSize() == 0 ? 0 : -1;
        }
        into.position(into.position() + count);
        return count;
      } catch (ErrnoException e) {
        if (e.is(Errno.EAGAIN)) {
          return 0;
        }
        if (!e.is(Errno.EINTR)) {
          throw e;
        }
      }
    }
  }

  /**
   * Writes from a direct buffer.
   *
   * @return bytes written; 0 if there is no room now
   */
  public int write(ByteBuffer from) throws ErrnoException {
    MemorySegment memory = direct(from);
    while (true) {
      try {
        int count = (int) DescriptorCalls.write(number(), memory, memory.byteSize());
        from.position(from.position() + count);
        return count;
      } catch (ErrnoException e) {
        if (e.is(Errno.EAGAIN)) {
          return 0;
        }
        if (!e.is(Errno.EINTR)) {
          throw e;
        }
      }
    }
  }

  /** The first {@code max} bytes of a file that has a beginning, wherever its position is. */
  public byte[] contents(int max) throws ErrnoException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(CHUNK);
      while (bytes.size() < max) {
        long wanted = Math.min(CHUNK, max - bytes.size());
        long count = PipeCalls.pread(number(), chunk, wanted, bytes.size());
        if (count == 0) {
          break;
        }
        bytes.writeBytes(chunk.asSlice(0, count).toArray(JAVA_BYTE));
      }
    }
    return bytes.toByteArray();
  }

  private static MemorySegment direct(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("the kernel needs a direct buffer");
    }
    return MemorySegment.ofBuffer(buffer);
  }

  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    try {
      DescriptorCalls.close(number);
    } catch (ErrnoException e) {
      if (e.is(Errno.EBADF)) {
        // somebody closed a number that was ours: every further step could hit a stranger's file
        throw new IllegalStateException("descriptor " + number + " was closed by somebody else", e);
      }
      // EINTR, EIO and the like: the number is free all the same, and the data were not ours to
      // keep
    }
  }

  @Override
  public String toString() {
    return "fd " + number + (closed.get() ? " (closed)" : "");
  }
}
