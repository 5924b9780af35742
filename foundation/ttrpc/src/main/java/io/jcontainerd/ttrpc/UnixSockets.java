package io.jcontainerd.ttrpc;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;

/** Unix-domain sockets as ttrpc uses them. */
public final class UnixSockets {
  private static final int BACKLOG = 4096;

  private UnixSockets() {}

  /**
   * Connects, or fails within the limit. A unix socket whose listener has a full backlog would keep
   * {@code connect} waiting for ever in blocking mode; in non-blocking mode (which a virtual thread
   * implies) it answers EAGAIN, which the JDK takes for progress. So a platform thread waits.
   *
   * @throws IOException also of {@link java.net.SocketTimeoutException} after the limit
   */
  public static SocketChannel connect(Path path, Duration limit)
      throws IOException, InterruptedException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      var connected = new CompletableFuture<Void>();
      Thread.ofPlatform()
          .daemon()
          .name("connect " + path)
          .start(
              () -> {
                try {
                  channel.connect(UnixDomainSocketAddress.of(path));
                  connected.complete(null);
                } catch (IOException | RuntimeException e) {
                  connected.completeExceptionally(e);
                }
              });
      connected.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      return channel;
    } catch (TimeoutException e) {
      channel.close();
      var late = new java.net.SocketTimeoutException("connect " + path + ": no answer in " + limit);
      late.initCause(e);
      throw late;
    } catch (ExecutionException e) {
      channel.close();
      if (e.getCause() instanceof IOException io) {
        throw new IOException("connect " + path + ": " + io.getMessage(), io);
      }
      throw new IOException("connect " + path, e.getCause());
    } catch (InterruptedException e) {
      channel.close();
      throw e;
    }
  }

  /** Listens on a path that must not exist yet. The caller sets the modes of folder and socket. */
  public static ServerSocketChannel listen(Path path) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether the peer of a unix socket runs with this process' effective user and group ids. */
  static boolean samePeer(SocketChannel channel) throws IOException {
    UnixDomainPrincipal peer;
    try {
      peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
    } catch (ClosedChannelException e) {
      return false;
    }
    return peer.user().equals(Self.USER) && peer.group().equals(Self.GROUP);
  }

  /** This process' effective ids, in the form in which the JDK reports those of a peer. */
  private static final class Self {
    static final UserPrincipal USER;
    static final GroupPrincipal GROUP;

    static {
      var lookup = FileSystems.getDefault().getUserPrincipalLookupService();
      try {
        USER = lookup.lookupPrincipalByName(effectiveId("Uid:"));
        GROUP = lookup.lookupPrincipalByGroupName(effectiveId("Gid:"));
      } catch (IOException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    private static String effectiveId(String field) throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(field)) {
          return line.substring(field.length()).strip().split("\\s+", -1)[1];
        }
      }
      throw new IOException("/proc/self/status has no " + field);
    }
  }
}
