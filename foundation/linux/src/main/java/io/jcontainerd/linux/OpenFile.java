package io.jcontainerd.linux;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.FileCalls;
import io.jcontainerd.linux.libc.PipeCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * An open regular file with the calls that {@code java.nio} lacks. Reading and writing by position
 * is safe for many threads, the rest for one at a time. Closing twice does no harm.
 */
public final class OpenFile implements AutoCloseable {
  private static final byte[] SELF = new byte[0];

  private int fd;

  OpenFile(int fd) {
    this.fd = fd;
  }

  private int fd() {
    if (fd < 0) {
      throw new IllegalStateException("file is closed");
    }
    return fd;
  }

  /** What the kernel knows of it. */
  public FileStat status() throws ErrnoException {
    return StatxReader.read(fd(), SELF, AtCalls.AT_EMPTY_PATH);
  }

  /** Appends all remaining bytes at the current offset; fast from direct buffers. */
  public void write(ByteBuffer bytes) throws ErrnoException {
    onNative(
        bytes,
        memory -> {
          long done = 0;
          while (done < memory.byteSize()) {
            done += DescriptorCalls.write(fd(), memory.asSlice(done), memory.byteSize() - done);
          }
        });
    bytes.position(bytes.limit());
  }

  /** Writes all remaining bytes at the position. */
  public void write(ByteBuffer bytes, long position) throws ErrnoException {
    onNative(
        bytes,
        memory -> {
          long done = 0;
          while (done < memory.byteSize()) {
            done +=
                FileCalls.pwrite(
                    fd(), memory.asSlice(done), memory.byteSize() - done, position + done);
          }
        });
    bytes.position(bytes.limit());
  }

  /**
   * Reads into the remaining space of a direct buffer, from the position.
   *
   * @return bytes read, or -1 at the end
   */
  public int read(ByteBuffer into, long position) throws ErrnoException {
    if (!into.isDirect()) {
      throw new IllegalArgumentException("the buffer is not direct");
    }
    if (!into.hasRemaining()) {
      return 0;
    }
    MemorySegment memory = MemorySegment.ofBuffer(into);
    int count = (int) PipeCalls.pread(fd(), memory, memory.byteSize(), position);
    if (count == 0) {
      return -1;
    }
    into.position(into.position() + count);
    return count;
  }

  /**
   * Tells that the bytes before the position are not read again soon, so that the machine's memory
   * need not hold them.
   */
  public void dontKeep(long end) throws ErrnoException {
    FileCalls.posix_fadvise(fd(), 0, end, FileCalls.POSIX_FADV_DONTNEED);
  }

  private interface OnMemory {
    void run(MemorySegment memory) throws ErrnoException;
  }

  private static void onNative(ByteBuffer bytes, OnMemory action) throws ErrnoException {
    MemorySegment memory = MemorySegment.ofBuffer(bytes);
    if (bytes.isDirect()) {
      action.run(memory);
    } else {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(Math.max(1, memory.byteSize()));
        action.run(copy.asSlice(0, memory.byteSize()).copyFrom(memory));
      }
    }
  }

  /** Moves the offset at which {@link #write(ByteBuffer)} goes on. */
  public void seek(long offset) throws ErrnoException {
    FileCalls.lseek(fd(), offset, FileCalls.SEEK_SET);
  }

  /** Where the next bytes that are no hole begin, at or after the offset. */
  public OptionalLong nextData(long offset) throws ErrnoException {
    try {
      return OptionalLong.of(FileCalls.lseek(fd(), offset, FileCalls.SEEK_DATA));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENXIO)) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  /** Where the next hole begins, at or after the offset; the end of the file counts as one. */
  public long nextHole(long offset) throws ErrnoException {
    return FileCalls.lseek(fd(), offset, FileCalls.SEEK_HOLE);
  }

  /** Cuts the file, or extends it with a hole. */
  public void truncate(long size) throws ErrnoException {
    FileCalls.ftruncate(fd(), size);
  }

  /** Reserves blocks without changing the size. */
  public void reserve(long offset, long length) throws ErrnoException {
    FileCalls.fallocate(fd(), FileCalls.FALLOC_FL_KEEP_SIZE, offset, length);
  }

  /** Gives owner and group; the kernel then clears the setuid bits. */
  public void setOwner(int uid, int gid) throws ErrnoException {
    FileCalls.fchown(fd(), uid, gid);
  }

  /** Sets the twelve permission bits. */
  public void setMode(int mode) throws ErrnoException {
    FileCalls.fchmod(fd(), mode);
  }

  /** Sets the times of access and of modification. */
  public void setTimes(Instant accessed, Instant modified) throws ErrnoException {
    FileCalls.futimens(fd(), Directory.times(accessed, modified));
  }

  /**
   * Becomes a copy of the other file: by shared blocks where the file system can, else by copying
   * inside the kernel.
   */
  public void copyFrom(OpenFile other) throws ErrnoException {
    try {
      FileCalls.ficlone(fd(), other.fd());
      return;
    } catch (ErrnoException e) {
      if (!e.is(Errno.EOPNOTSUPP, Errno.EXDEV, Errno.EINVAL, Errno.ENOTTY, Errno.ENOSYS)) {
        throw e;
      }
    }
    copyRanges(other);
  }

  private void copyRanges(OpenFile other) throws ErrnoException {
    long size = other.status().size();
    long offset = 0;
    OptionalLong data = other.nextData(0);
    while (data.isPresent() && data.getAsLong() < size) {
      offset = data.getAsLong();
      long end = Math.min(other.nextHole(offset), size);
      other.seek(offset);
      seek(offset);
      while (offset < end) {
        long copied = copySome(other, offset, end - offset);
        if (copied == 0) {
          break;
        }
        offset += copied;
      }
      data = other.nextData(end);
    }
    truncate(size);
  }

  private long copySome(OpenFile other, long offset, long count) throws ErrnoException {
    try {
      return FileCalls.copy_file_range(other.fd(), fd(), Math.min(count, 1L << 30));
    } catch (ErrnoException e) {
      if (!e.is(Errno.EXDEV, Errno.EOPNOTSUPP, Errno.EINVAL, Errno.ENOSYS)) {
        throw e;
      }
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(count, 1 << 18));
    int got = other.read(buffer, offset);
    if (got < 0) {
      return 0;
    }
    write(buffer.flip(), offset);
    other.seek(offset + got);
    seek(offset + got);
    return got;
  }

  /** Makes bytes and size survive a power cut; may take long, so never holds a carrier thread. */
  public void force() throws IOException {
    int open = fd();
    Blocking.run("fsync", () -> FileCalls.fsync(open));
  }

  @Override
  public void close() throws ErrnoException {
    int open = fd;
    fd = -1;
    if (open >= 0) {
      DescriptorCalls.close(open);
    }
  }
}
