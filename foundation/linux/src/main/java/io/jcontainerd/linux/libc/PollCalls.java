package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** epoll(7) and poll(2). */
public final class PollCalls {
  public static final int EPOLLIN = 0x1;
  public static final int EPOLLOUT = 0x4;
  public static final int EPOLLERR = 0x8;
  public static final int EPOLLHUP = 0x10;
  public static final int EPOLL_CTL_ADD = 1;
  public static final int EPOLL_CTL_DEL = 2;
  public static final int EPOLL_CTL_MOD = 3;
  public static final int EPOLL_CLOEXEC = DescriptorCalls.O_CLOEXEC;

  /** {@code struct epoll_event} is packed on x86-64 only. */
  private static final boolean PACKED = System.getProperty("os.arch", "").equals("amd64");

  /** Size of one {@code struct epoll_event} in bytes. */
  public static final long EVENT_SIZE = PACKED ? 12 : 16;

  private static final long DATA_OFFSET = PACKED ? 4 : 8;

  private static final CFunction EPOLL_CREATE1 = new CFunction("epoll_create1");
  private static final CFunction EPOLL_CTL = new CFunction("epoll_ctl");
  private static final CFunction EPOLL_WAIT = new CFunction("epoll_wait");

  public static final int POLLIN = 0x1;
  public static final int POLLOUT = 0x4;

  /** {@code int fd; short events; short revents}. */
  private static final long POLLFD_SIZE = 8;

  private static final CFunction POLL = new CFunction("poll");

  private PollCalls() {}

  /**
   * poll(2) for one descriptor.
   *
   * @param events bits of {@link #POLLIN} and {@link #POLLOUT}
   * @param timeout in milliseconds, -1 for ever
   * @return whether it is ready, or the other side is gone
   */
  public static boolean poll(int fd, int events, int timeout) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment one = arena.allocate(POLLFD_SIZE, 4);
      one.set(JAVA_INT, 0, fd);
      one.set(JAVA_SHORT, 4, (short) events);
      int rc = POLL.call(capture, at(one), 1, timeout);
      return Libc.check(rc, "poll", "fd " + fd, capture) > 0;
    }
  }

  /** epoll_create1(2). */
  public static int epoll_create1(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = EPOLL_CREATE1.call(capture, flags);
      return Libc.check(rc, "epoll_create1", "", capture);
    }
  }

  /** epoll_ctl(2); {@code data} comes back with the events. */
  public static void epoll_ctl(int epoll, int operation, int fd, int events, long data)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment event = arena.allocate(EVENT_SIZE, 8);
      event.set(JAVA_INT, 0, events);
      event.set(JAVA_LONG_UNALIGNED, DATA_OFFSET, data);
      int rc = EPOLL_CTL.call(capture, epoll, operation, fd, at(event));
      Libc.check(rc, "epoll_ctl", "fd " + fd, capture);
    }
  }

  /**
   * epoll_wait(2).
   *
   * @param events room for {@code max} events of {@link #EVENT_SIZE} bytes
   * @param timeout in milliseconds, -1 for ever
   */
  public static int epoll_wait(int epoll, MemorySegment events, int max, int timeout)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = EPOLL_WAIT.call(capture, epoll, at(events), max, timeout);
      return Libc.check(rc, "epoll_wait", "fd " + epoll, capture);
    }
  }

  /** The event bits of the event at {@code index}. */
  public static int events(MemorySegment events, int index) {
    return events.get(JAVA_INT_UNALIGNED, index * EVENT_SIZE);
  }

  /** The data registered for the event at {@code index}. */
  public static long data(MemorySegment events, int index) {
    return events.get(JAVA_LONG_UNALIGNED, index * EVENT_SIZE + DATA_OFFSET);
  }
}
