package io.jcontainerd.client;

import com.google.protobuf.Empty;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.jcontainerd.api.services.version.v1.VersionGrpc;
import io.jcontainerd.api.services.version.v1.VersionResponse;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.tasks.TaskStatus;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A daemon that speaks containerd's API on a unix socket: ours, or containerd 1.6 and later.
 *
 * <p>The connection is made when first needed and again after it broke. Most calls need a
 * namespace: that of the current {@link io.jcontainerd.core.Call} if there is one, else the one
 * given to {@link #in}. All failures are of core's family. Safe for many threads. Closing ends the
 * calls that still go on.
 */
public final class Containerd implements AutoCloseable {
  /** Where containerd listens unless told otherwise. */
  public static final String DEFAULT_ADDRESS = "/run/containerd/containerd.sock";

  /** The runtime of containers that name none, unless their namespace says otherwise. */
  public static final String DEFAULT_RUNTIME = "io.containerd.runc.v2";

  /** The snapshotter of containers that name none, unless their namespace says otherwise. */
  public static final String DEFAULT_SNAPSHOTTER = "overlayfs";

  /** The namespace that clients use which know of none. */
  public static final String DEFAULT_NAMESPACE = "default";

  private static final String RUNTIME_LABEL = "containerd.io/defaults/runtime";
  private static final String SNAPSHOTTER_LABEL = "containerd.io/defaults/snapshotter";
  private static final int LARGEST_MESSAGE = 16 << 20;

  private final Connection connection;
  private final Runnable closing;

  private Containerd(Connection connection, Runnable closing) {
    this.connection = connection;
    this.closing = closing;
  }

  /**
   * How to connect.
   *
   * @param address a path, or {@code unix://} and a path
   * @param timeout the longest wait for answers that come from records; a message of many, which
   *     may stand for much work, is waited for ten times as long
   */
  public record Options(String address, Duration timeout) {
    /** Options with the usual wait of a minute. */
    public static Options of(String address) {
      return new Options(address, Duration.ofMinutes(1));
    }

    private Path socket() {
      String path = address.startsWith("unix://") ? address.substring("unix://".length()) : address;
      if (!path.startsWith("/")) {
        throw new InvalidArgumentException(
            "address " + address + " is neither an absolute path nor unix:// and one");
      }
      return Path.of(path);
    }
  }

  /** A client of the daemon at the address; see {@link Options}. */
  public static Containerd connect(String address) {
    return connect(Options.of(address));
  }

  /** A client of a daemon. */
  public static Containerd connect(Options options) {
    Path socket = options.socket();
    var threads =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("jcontainerd-client", true), NioIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(threads)
            .userAgent("jcontainerd-client, process " + ProcessHandle.current().pid())
            .overrideAuthority("localhost")
            .usePlaintext()
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .build();
    return new Containerd(
        new Connection(channel, Optional.empty(), options.timeout()),
        () -> {
          channel.shutdownNow();
          var _ = threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        });
  }

  /** The same daemon, spoken to in a namespace. Closing the view leaves the connection open. */
  public Containerd in(String namespace) {
    return new Containerd(connection.in(namespace), () -> {});
  }

  /**
   * The same daemon, spoken to on behalf of another one that it serves as a plug-in: the namespace
   * of each call goes with it, its lease does not, since that is the other one's. Closing the view
   * leaves the connection open.
   *
   * @param own the namespace of calls that have none
   */
  public Containerd asBackend(String own) {
    return new Containerd(connection.in(own).withoutLeases(), () -> {});
  }

  /** For services that this library has no words for; headers are added as to all other calls. */
  public Channel channel() {
    return connection.channel();
  }

  /**
   * Waits until the daemon answers.
   *
   * @throws DeadlineExceededException if it does not in time; the cause is the last failure
   */
  public void awaitReady(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    Duration pause = Duration.ofMillis(10);
    while (true) {
      try {
        Connection.sendInterruptibly(
            () ->
                VersionGrpc.newBlockingV2Stub(connection.channel())
                    .withWaitForReady()
                    .withDeadlineAfter(
                        Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)
                    .version(Empty.getDefaultInstance()));
        return;
      } catch (DeadlineExceededException | UnavailableException e) {
        if (System.nanoTime() + pause.toNanos() > deadline) {
          throw new DeadlineExceededException(
              "the daemon does not answer within " + timeout.toMillis() + " ms", e);
        }
        Thread.sleep(pause);
      }
    }
  }

  /**
   * What the daemon is.
   *
   * @param version as in {@code v2.3.4}
   * @param revision of its source
   */
  public record Version(String version, String revision) {}

  /** What the daemon is. */
  public Version version() {
    VersionResponse reply =
        Connection.send(
            () ->
                VersionGrpc.newBlockingV2Stub(connection.channel())
                    .version(Empty.getDefaultInstance()));
    return new Version(reply.getVersion(), reply.getRevision());
  }

  /** The daemon's blobs. */
  public RemoteContentStore content() {
    return new RemoteContentStore(connection);
  }

  /** The daemon's images. */
  public RemoteImageStore images() {
    return new RemoteImageStore(connection);
  }

  /** The daemon's container records. */
  public RemoteContainerStore containers() {
    return new RemoteContainerStore(connection);
  }

  /** The daemon's records of sandboxes; containerd has them from 1.7 on. */
  public RemoteSandboxStore sandboxes() {
    return new RemoteSandboxStore(connection);
  }

  /**
   * One of the daemon's sandbox controllers.
   *
   * @param name such as {@code podsandbox}, for pods that the daemon keeps, or {@code shim}
   */
  public RemoteSandboxController sandboxController(String name) {
    return new RemoteSandboxController(connection, name);
  }

  /** The daemon's leases. */
  public RemoteLeaseStore leases() {
    return new RemoteLeaseStore(connection);
  }

  /** The daemon's namespaces. */
  public RemoteNamespaceStore namespaces() {
    // containerd 1.6 tells events of namespaces in the caller's own, and fails without one
    return new RemoteNamespaceStore(
        connection.namespace().isPresent() ? connection : connection.in(DEFAULT_NAMESPACE));
  }

  /** One of the daemon's snapshotters, by name; the usual one for the empty name. */
  public RemoteSnapshotter snapshotter(String name) {
    return new RemoteSnapshotter(connection, name.isEmpty() ? defaultSnapshotter() : name);
  }

  /** The daemon's way with layers. */
  public RemoteDiff diff() {
    return new RemoteDiff(connection);
  }

  /** The daemon's tasks. */
  public RemoteTaskRuntime tasks() {
    return new RemoteTaskRuntime(connection);
  }

  /** The daemon's events. */
  public RemoteEvents events() {
    return new RemoteEvents(connection);
  }

  /** The record of the daemon's events, from any of them on; only jcontainerd has one. */
  public RemoteEventRecord eventRecord() {
    return new RemoteEventRecord(connection);
  }

  /** Checks, repairs and explanations of what the daemon stores; only jcontainerd has them. */
  public RemoteStorage storage() {
    return new RemoteStorage(connection);
  }

  /** What the daemon is doing; only jcontainerd tells. */
  public RemoteOperations operations() {
    return new RemoteOperations(connection);
  }

  /** What the daemon tells about itself. */
  public RemoteIntrospection introspection() {
    return new RemoteIntrospection(connection);
  }

  /** Images between registries, the daemon and archives, moved by the daemon. */
  public RemoteTransfers transfers() {
    return new RemoteTransfers(connection);
  }

  /** Brings images from a registry. */
  public ImagePull pull(Registry registry) {
    return new ImagePull(this, registry);
  }

  /** Takes images to a registry. */
  public ImagePush push(Registry registry) {
    return new ImagePush(this, registry);
  }

  /** Begins a container. */
  public NewContainer newContainer(String id) {
    return new NewContainer(this, id);
  }

  /**
   * Removes a container: its snapshot and its record, in this order, for a snapshot that no record
   * names can be collected at any moment.
   *
   * @throws FailedPreconditionException if its task was not deleted before
   */
  public void deleteContainer(String id) throws InterruptedException {
    Container container = containers().get(id);
    if (hasTask(id)) {
      throw new FailedPreconditionException("container " + id + " has a task; delete that before");
    }
    if (!container.snapshotKey().isEmpty()) {
      try {
        snapshotter(container.snapshotter()).remove(container.snapshotKey());
      } catch (NotFoundException _) {
        // somebody was quicker
      }
    }
    containers().delete(id);
  }

  private boolean hasTask(String id) throws InterruptedException {
    try {
      return tasks().get(id, "").status() != TaskStatus.UNKNOWN;
    } catch (NotFoundException _) {
      return false;
    }
  }

  /** The task of a container, running or not. */
  public Task task(String containerId) {
    return new Task(this, containerId);
  }

  String defaultSnapshotter() {
    return namespaceLabel(SNAPSHOTTER_LABEL, DEFAULT_SNAPSHOTTER);
  }

  String defaultRuntime() {
    return namespaceLabel(RUNTIME_LABEL, DEFAULT_RUNTIME);
  }

  private String namespaceLabel(String label, String otherwise) {
    String value = namespaces().get(namespace()).labels().getOrDefault(label, "");
    return value.isEmpty() ? otherwise : value;
  }

  /**
   * The namespace that calls are made in.
   *
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if there is none
   */
  public String namespace() {
    return connection.current().namespace();
  }

  @Override
  public void close() {
    closing.run();
  }
}
