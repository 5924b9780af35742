package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PollCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Waits for one descriptor, not for ever. For platform threads. */
final class Readiness {
  private Readiness() {}

  /** Whether the descriptor could be read, or its other side was gone, within the time. */
  static boolean await(int fd, int millis) throws ErrnoException {
    int epoll = PollCalls.epoll_create1(PollCalls.EPOLL_CLOEXEC);
    try (Arena arena = Arena.ofConfined()) {
      PollCalls.epoll_ctl(epoll, PollCalls.EPOLL_CTL_ADD, fd, PollCalls.EPOLLIN, 0);
      MemorySegment event = arena.allocate(PollCalls.EVENT_SIZE, 8);
      return PollCalls.epoll_wait(epoll, event, 1, millis) > 0;
    } finally {
      DescriptorCalls.close(epoll);
    }
  }
}
