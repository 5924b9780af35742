package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Datagrams to unix sockets. */
public final class DatagramCalls {
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int MSG_NOSIGNAL = 0x4000;

  private static final CFunction SOCKET = new CFunction("socket");
  private static final CFunction SENDTO = new CFunction("sendto");

  private DatagramCalls() {}

  /** A close-on-exec datagram socket of the unix domain. */
  public static int socket() throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int type = SOCK_DGRAM | DescriptorCalls.O_CLOEXEC;
      int rc = SOCKET.call(capture, AF_UNIX, type, 0);
      return Libc.check(rc, "socket", "", capture);
    }
  }

  /** sendto(2) to a path or, if it begins with an at sign, to a name of the abstract name space. */
  public static void send(int fd, String path, String text) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      byte[] name = path.getBytes(StandardCharsets.UTF_8);
      if (name.length >= SocketCalls.PATH_MAX) {
        throw new ErrnoException("sendto", path, Errno.EINVAL);
      }
      boolean named = !path.startsWith("@");
      if (!named) {
        name[0] = 0;
      }
      int length = 2 + name.length + (named ? 1 : 0);
      MemorySegment address = arena.allocate(length, 2);
      address.set(JAVA_SHORT, 0, (short) AF_UNIX);
      MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      MemorySegment data = arena.allocateFrom(JAVA_BYTE, bytes);
      long rc =
          SENDTO.callLong(capture, fd, at(data), bytes.length, MSG_NOSIGNAL, at(address), length);
      Libc.check(rc, "sendto", path, capture);
    }
  }
}
