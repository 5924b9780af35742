package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Unix sockets as far as the passing of descriptors needs them. */
public final class SocketCalls {
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CTRUNC = 0x8;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;

  /** Length of {@code sun_path}. */
  public static final int PATH_MAX = 108;

  private static final long SOCKADDR_SIZE = 2 + PATH_MAX;

  private static final long MSGHDR_SIZE = 56;
  private static final long MSG_IOV_OFFSET = 16;
  private static final long MSG_IOVLEN_OFFSET = 24;
  private static final long MSG_CONTROL_OFFSET = 32;
  private static final long MSG_CONTROLLEN_OFFSET = 40;
  private static final long MSG_FLAGS_OFFSET = 48;

  private static final long CMSG_LEVEL_OFFSET = 8;
  private static final long CMSG_TYPE_OFFSET = 12;
  private static final long CMSG_DATA_OFFSET = 16;

  /** One control message with one descriptor, padded. */
  private static final long CONTROL_SIZE = 24;

  private static final int BYTES = 4096;

  private static final CFunction SOCKET = new CFunction("socket");
  private static final CFunction BIND = new CFunction("bind");
  private static final CFunction CONNECT = new CFunction("connect");
  private static final CFunction LISTEN = new CFunction("listen");
  private static final CFunction ACCEPT4 = new CFunction("accept4");
  private static final CFunction RECVMSG = new CFunction("recvmsg");
  private static final CFunction SENDMSG = new CFunction("sendmsg");

  private SocketCalls() {}

  /**
   * A message that may carry a descriptor.
   *
   * @param text the bytes of the message
   * @param fd the received descriptor, close-on-exec, now owned by the caller; -1 if none came
   */
  public record Received(String text, int fd) {}

  /** A close-on-exec stream socket of the unix domain. */
  public static int socket(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int type = SOCK_STREAM | DescriptorCalls.O_CLOEXEC | flags;
      int rc = SOCKET.call(capture, AF_UNIX, type, 0);
      return Libc.check(rc, "socket", "", capture);
    }
  }

  /** bind(2) to a path of at most 107 bytes. */
  public static void bind(int fd, String path) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment address = address(arena, "bind", path);
      int rc = BIND.call(capture, fd, at(address), SOCKADDR_SIZE);
      Libc.check(rc, "bind", path, capture);
    }
  }

  /** connect(2) to a path of at most 107 bytes. */
  public static void connect(int fd, String path) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment address = address(arena, "connect", path);
      int rc = CONNECT.call(capture, fd, at(address), SOCKADDR_SIZE);
      Libc.check(rc, "connect", path, capture);
    }
  }

  /** listen(2). */
  public static void listen(int fd, int backlog) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = LISTEN.call(capture, fd, backlog);
      Libc.check(rc, "listen", "fd " + fd, capture);
    }
  }

  /** accept4(2): a close-on-exec connection. */
  public static int accept4(int fd, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int bits = DescriptorCalls.O_CLOEXEC | flags;
      int rc = ACCEPT4.call(capture, fd, 0, 0, bits);
      return Libc.check(rc, "accept4", "fd " + fd, capture);
    }
  }

  /** recvmsg(2) of up to 4096 bytes and one descriptor. */
  public static Received recvmsg(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment bytes = arena.allocate(BYTES);
      MemorySegment control = arena.allocate(CONTROL_SIZE, 8);
      MemorySegment message = message(arena, bytes, BYTES, control);
      long rc = RECVMSG.callLong(capture, fd, at(message), MSG_CMSG_CLOEXEC);
      Libc.check(rc, "recvmsg", "fd " + fd, capture);
      int received = -1;
      if (message.get(JAVA_LONG, MSG_CONTROLLEN_OFFSET) >= CMSG_DATA_OFFSET + Integer.BYTES
          && control.get(JAVA_INT, CMSG_LEVEL_OFFSET) == SOL_SOCKET
          && control.get(JAVA_INT, CMSG_TYPE_OFFSET) == SCM_RIGHTS) {
        received = control.get(JAVA_INT, CMSG_DATA_OFFSET);
      }
      if ((message.get(JAVA_INT, MSG_FLAGS_OFFSET) & MSG_CTRUNC) != 0) {
        if (received >= 0) {
          DescriptorCalls.close(received);
        }
        throw new ErrnoException("recvmsg", "more than one descriptor on fd " + fd, Errno.EINVAL);
      }
      byte[] text = bytes.asSlice(0, rc).toArray(JAVA_BYTE);
      return new Received(new String(text, StandardCharsets.UTF_8), received);
    }
  }

  /** sendmsg(2) of a text and one descriptor. */
  public static void sendmsg(int fd, String text, int passed) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
      MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, encoded);
      MemorySegment control = arena.allocate(CONTROL_SIZE, 8);
      control.set(JAVA_LONG, 0, CMSG_DATA_OFFSET + Integer.BYTES);
      control.set(JAVA_INT, CMSG_LEVEL_OFFSET, SOL_SOCKET);
      control.set(JAVA_INT, CMSG_TYPE_OFFSET, SCM_RIGHTS);
      control.set(JAVA_INT, CMSG_DATA_OFFSET, passed);
      MemorySegment message = message(arena, bytes, encoded.length, control);
      long rc = SENDMSG.callLong(capture, fd, at(message), 0);
      Libc.check(rc, "sendmsg", "fd " + fd, capture);
    }
  }

  private static MemorySegment message(
      Arena arena, MemorySegment bytes, long length, MemorySegment control) {
    MemorySegment vector = arena.allocate(16, 8);
    vector.set(ADDRESS, 0, bytes);
    vector.set(JAVA_LONG, 8, length);
    MemorySegment message = arena.allocate(MSGHDR_SIZE, 8);
    message.set(ADDRESS, MSG_IOV_OFFSET, vector);
    message.set(JAVA_LONG, MSG_IOVLEN_OFFSET, 1L);
    message.set(ADDRESS, MSG_CONTROL_OFFSET, control);
    message.set(JAVA_LONG, MSG_CONTROLLEN_OFFSET, CONTROL_SIZE);
    return message;
  }

  private static MemorySegment address(Arena arena, String call, String path)
      throws ErrnoException {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    if (bytes.length >= PATH_MAX) {
      throw new ErrnoException(call, path, Errno.ENAMETOOLONG);
    }
    MemorySegment address = arena.allocate(SOCKADDR_SIZE, 8);
    address.set(JAVA_SHORT, 0, (short) AF_UNIX);
    MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 2, bytes.length);
    return address;
  }
}
