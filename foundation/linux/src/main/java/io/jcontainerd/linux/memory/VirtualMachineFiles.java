package io.jcontainerd.linux.memory;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.MemoryCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What the virtual machine shows itself of files, and only reads: its program, its classes, its
 * start-up cache. Of each most is needed for the start and for nothing later, but what was touched
 * once stays part of the process.
 *
 * <p>Let go, a page stays where it is, in the kernel's cache of the file, and comes back with the
 * next touch in about a microsecond, sixteen at once; but now the kernel may use its place for
 * something else without having to look for who has it. For one thread.
 */
final class VirtualMachineFiles {
  /**
   * Mapped from the beginning to the end of the process. That is why letting go is safe: nothing
   * else can get their addresses.
   */
  private static final Pattern LASTING = Pattern.compile(".*/(libjvm\\.so|modules|[^/]*\\.aot)");

  private static final Path MAPS = Path.of("/proc/self/smaps");

  private List<MappedFile> known = List.of();

  /** Takes their pages out of this process. */
  void letGo() throws IOException {
    if (known.isEmpty()) {
      known = lasting(Files.readAllLines(MAPS));
      for (MappedFile mapped : known) {
        inSmallPages(mapped);
      }
    }
    for (MappedFile mapped : known) {
      MemoryCalls.madvise(mapped.begin(), mapped.length(), MemoryCalls.MADV_DONTNEED);
    }
  }

  /**
   * Two megabytes of a file would come back with each touch, where the kernel has them together.
   */
  private static void inSmallPages(MappedFile mapped) throws ErrnoException {
    try {
      MemoryCalls.madvise(mapped.begin(), mapped.length(), MemoryCalls.MADV_NOHUGEPAGE);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) { // this kernel knows no large pages
        throw e;
      }
    }
  }

  /** Which of the lines of {@code smaps} tell of them. */
  static List<MappedFile> lasting(List<String> lines) {
    return MappedFile.parse(lines).stream()
        .filter(mapped -> LASTING.matcher(mapped.file()).matches())
        .filter(MappedFile::isOnlyRead)
        .toList();
  }
}
