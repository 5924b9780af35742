package io.jcontainerd.linux;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.FileCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file of the {@link Files} port. Unlike a channel of NIO it survives the interruption of a
 * thread that uses it. A close waits for nobody: the descriptor is given back by the last call that
 * still uses it, so its number is never reused under a running call.
 */
final class FileHandle implements Files.Handle {
  private static final int CLOSED = 1 << 30;
  private static final long HEAP_COPY = 256 * 1024;

  private final Path file;
  private final int fd;

  /** Calls in flight, plus {@link #CLOSED}. */
  private final AtomicInteger users = new AtomicInteger();

  FileHandle(Path file, int fd) {
    this.file = file;
    this.fd = fd;
  }

  private interface Call<T> {
    T run() throws ErrnoException;
  }

  private <T> T using(Call<T> call) throws IOException {
    enter();
    try {
      return call.run();
    } catch (ErrnoException e) {
      throw Failures.told(e, file);
    } finally {
      leave();
    }
  }

  private void enter() throws ClosedChannelException {
    int before = users.getAndUpdate(now -> now >= CLOSED ? now : now + 1);
    if (before >= CLOSED) {
      throw new ClosedChannelException();
    }
  }

  private void leave() throws ErrnoException {
    if (users.decrementAndGet() == CLOSED) {
      DescriptorCalls.close(fd);
    }
  }

  @Override
  public int read(ByteBuffer into, long position) throws IOException {
    if (!into.hasRemaining()) {
      return 0;
    }
    int count =
        using(() -> into.isDirect() ? readDirect(into, position) : readHeap(into, position));
    return count == 0 ? -1 : count;
  }

  private int readDirect(ByteBuffer into, long position) throws ErrnoException {
    MemorySegment memory = MemorySegment.ofBuffer(into);
    int count = (int) PipeCalls.pread(fd, memory, memory.byteSize(), position);
    into.position(into.position() + count);
    return count;
  }

  private int readHeap(ByteBuffer into, long position) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(Math.min(into.remaining(), HEAP_COPY));
      long count = PipeCalls.pread(fd, copy, copy.byteSize(), position);
      into.put(copy.asSlice(0, count).asByteBuffer());
      return (int) count;
    }
  }

  @Override
  public int write(ByteBuffer from, long position) throws IOException {
    if (!from.hasRemaining()) {
      return 0;
    }
    return using(() -> from.isDirect() ? writeDirect(from, position) : writeHeap(from, position));
  }

  private int writeDirect(ByteBuffer from, long position) throws ErrnoException {
    MemorySegment memory = MemorySegment.ofBuffer(from);
    int count = (int) FileCalls.pwrite(fd, memory, memory.byteSize(), position);
    from.position(from.position() + count);
    return count;
  }

  private int writeHeap(ByteBuffer from, long position) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      int some = (int) Math.min(from.remaining(), HEAP_COPY);
      MemorySegment copy = arena.allocate(some);
      copy.copyFrom(MemorySegment.ofBuffer(from.slice(from.position(), some)));
      int count = (int) FileCalls.pwrite(fd, copy, some, position);
      from.position(from.position() + count);
      return count;
    }
  }

  @Override
  public long size() throws IOException {
    return using(() -> StatxReader.read(fd, new byte[0], AtCalls.AT_EMPTY_PATH).size());
  }

  @Override
  public void truncate(long size) throws IOException {
    using(
        () -> {
          FileCalls.ftruncate(fd, size);
          return fd;
        });
  }

  @Override
  public void force() throws IOException {
    enter();
    try {
      Blocking.run("fsync", () -> FileCalls.fsync(fd));
    } catch (ErrnoException e) {
      throw Failures.told(e, file);
    } finally {
      leave();
    }
  }

  @Override
  public void dontKeep(long end) throws IOException {
    using(
        () -> {
          FileCalls.posix_fadvise(fd, 0, end, FileCalls.POSIX_FADV_DONTNEED);
          return fd;
        });
  }

  @Override
  public void close() throws IOException {
    int before = users.getAndUpdate(now -> now | CLOSED);
    if (before == 0) {
      DescriptorCalls.close(fd);
    }
  }
}
