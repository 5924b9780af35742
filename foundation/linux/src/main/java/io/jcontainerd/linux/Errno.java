package io.jcontainerd.linux;

import java.util.HashMap;
import java.util.Map;

/**
 * The error numbers of the Linux kernel, with their names and texts (the same on x86-64 and
 * AArch64).
 */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int EBADF = 9;
  public static final int ECHILD = 10;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int ENOTBLK = 15;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int EPIPE = 32;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int ENODATA = 61;
  public static final int EBADMSG = 74;
  public static final int EOPNOTSUPP = 95;
  public static final int EADDRINUSE = 98;
  public static final int ECONNRESET = 104;
  public static final int ETIMEDOUT = 110;
  public static final int ESTALE = 116;
  public static final int EUCLEAN = 117;
  public static final int EDQUOT = 122;

  private static final String TABLE =
      """
      1 EPERM operation not permitted
      2 ENOENT no such file or directory
      3 ESRCH no such process
      4 EINTR interrupted system call
      5 EIO input/output error
      6 ENXIO no such device or address
      7 E2BIG argument list too long
      8 ENOEXEC exec format error
      9 EBADF bad file descriptor
      10 ECHILD no child processes
      11 EAGAIN resource temporarily unavailable
      12 ENOMEM cannot allocate memory
      13 EACCES permission denied
      14 EFAULT bad address
      15 ENOTBLK block device required
      16 EBUSY device or resource busy
      17 EEXIST file exists
      18 EXDEV invalid cross-device link
      19 ENODEV no such device
      20 ENOTDIR not a directory
      21 EISDIR is a directory
      22 EINVAL invalid argument
      23 ENFILE too many open files in system
      24 EMFILE too many open files
      25 ENOTTY inappropriate ioctl for device
      26 ETXTBSY text file busy
      27 EFBIG file too large
      28 ENOSPC no space left on device
      29 ESPIPE illegal seek
      30 EROFS read-only file system
      31 EMLINK too many links
      32 EPIPE broken pipe
      33 EDOM numerical argument out of domain
      34 ERANGE numerical result out of range
      35 EDEADLK resource deadlock avoided
      36 ENAMETOOLONG file name too long
      37 ENOLCK no locks available
      38 ENOSYS function not implemented
      39 ENOTEMPTY directory not empty
      40 ELOOP too many levels of symbolic links
      61 ENODATA no data available
      62 ETIME timer expired
      71 EPROTO protocol error
      75 EOVERFLOW value too large for defined data type
      84 EILSEQ invalid or incomplete multibyte or wide character
      87 EUSERS too many users
      88 ENOTSOCK socket operation on non-socket
      90 EMSGSIZE message too long
      95 EOPNOTSUPP operation not supported
      97 EAFNOSUPPORT address family not supported by protocol
      98 EADDRINUSE address already in use
      99 EADDRNOTAVAIL cannot assign requested address
      100 ENETDOWN network is down
      101 ENETUNREACH network is unreachable
      103 ECONNABORTED software caused connection abort
      104 ECONNRESET connection reset by peer
      105 ENOBUFS no buffer space available
      106 EISCONN transport endpoint is already connected
      107 ENOTCONN transport endpoint is not connected
      110 ETIMEDOUT connection timed out
      111 ECONNREFUSED connection refused
      112 EHOSTDOWN host is down
      113 EHOSTUNREACH no route to host
      114 EALREADY operation already in progress
      115 EINPROGRESS operation now in progress
      116 ESTALE stale file handle
      117 EUCLEAN structure needs cleaning
      121 EREMOTEIO remote I/O error
      122 EDQUOT disk quota exceeded
      125 ECANCELED operation canceled
      130 EOWNERDEAD owner died
      131 ENOTRECOVERABLE state not recoverable
      """;

  private record Entry(String name, String text) {}

  private static final Map<Integer, Entry> ENTRIES = parse();

  private Errno() {}

  private static Map<Integer, Entry> parse() {
    Map<Integer, Entry> entries = new HashMap<>();
    TABLE
        .lines()
        .forEach(
            line -> {
              String[] parts = line.split(" ", 3);
              entries.put(Integer.valueOf(parts[0]), new Entry(parts[1], parts[2]));
            });
    return Map.copyOf(entries);
  }

  /** The C name, such as {@code ENOENT}; {@code errno N} for a number without a known name. */
  public static String name(int errno) {
    Entry entry = ENTRIES.get(errno);
    return entry == null ? "errno " + errno : entry.name();
  }

  /**
   * The text that tools print, in lower case; {@code error N} for a number without a known text.
   */
  public static String text(int errno) {
    Entry entry = ENTRIES.get(errno);
    return entry == null ? "error " + errno : entry.text();
  }
}
