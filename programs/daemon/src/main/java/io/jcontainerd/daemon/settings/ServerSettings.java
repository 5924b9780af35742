package io.jcontainerd.daemon.settings;

/** The tables of the listeners, {@code io.containerd.server.v1.*} and their companions. */
public final class ServerSettings {
  /** The largest message that is accepted or sent unless configured otherwise, in bytes. */
  public static final long MAX_MESSAGE_SIZE = 16L << 20;

  private ServerSettings() {}

  private static void requireSize(String key, long bytes) {
    if (bytes < 0 || bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          key + " must be from 0 to " + Integer.MAX_VALUE + " bytes, not " + bytes);
    }
  }

  /** The gRPC socket. Sizes are bytes; 0 means the default. */
  public record Grpc(
      String address, long uid, long gid, long maxRecvMessageSize, long maxSendMessageSize) {
    public Grpc {
      requireSize("max_recv_message_size", maxRecvMessageSize);
      requireSize("max_send_message_size", maxSendMessageSize);
    }

    public static Grpc defaults() {
      return new Grpc(
          "/run/containerd/containerd.sock",
          Identity.uid(),
          Identity.gid(),
          MAX_MESSAGE_SIZE,
          MAX_MESSAGE_SIZE);
    }
  }

  /** gRPC over TCP; off while the address is empty. */
  public record GrpcTcp(
      String address,
      String tlsCa,
      String tlsCert,
      String tlsKey,
      String tlsCommonName,
      long maxRecvMessageSize,
      long maxSendMessageSize) {
    public GrpcTcp {
      requireSize("max_recv_message_size", maxRecvMessageSize);
      requireSize("max_send_message_size", maxSendMessageSize);
    }

    public static GrpcTcp defaults() {
      return new GrpcTcp("", "", "", "", "", MAX_MESSAGE_SIZE, MAX_MESSAGE_SIZE);
    }
  }

  /** The socket to which shims send their events. */
  public record Ttrpc(String address, long uid, long gid) {
    public static Ttrpc defaults() {
      return new Ttrpc("/run/containerd/containerd.sock.ttrpc", Identity.uid(), Identity.gid());
    }
  }

  /** The debug socket; off while the address is empty. */
  public record Debug(String address, long uid, long gid) {
    public static Debug defaults() {
      return new Debug("", Identity.uid(), Identity.gid());
    }
  }

  /** The metrics endpoint; off while the address is empty. */
  public record Metrics(String address) {
    public static Metrics defaults() {
      return new Metrics("");
    }
  }

  /** Metrics of gRPC calls. */
  public record GrpcPrometheus(boolean grpcHistogram) {
    public static GrpcPrometheus defaults() {
      return new GrpcPrometheus(false);
    }
  }
}
