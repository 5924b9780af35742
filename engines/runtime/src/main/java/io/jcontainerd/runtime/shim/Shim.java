package io.jcontainerd.runtime.shim;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jcontainerd.api.operations.v1.CancelOperationRequest;
import io.jcontainerd.api.operations.v1.ListOperationsRequest;
import io.jcontainerd.api.operations.v1.ListOperationsResponse;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.wire.OperationMessages;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A connection to a shim, and its task API. Version 2 and 3 of the API differ in the service's name
 * only. The end of the connection means that the shim is dead. Safe for many threads.
 */
public final class Shim implements AutoCloseable {
  private static final String SANDBOXES = "containerd.runtime.sandbox.v1.Sandbox";
  private static final String OPERATIONS = "jcontainerd.services.operations.v1.Operations";
  private static final Duration LOOK = Duration.ofMillis(500);

  private final ShimAddress address;
  private final TtrpcClient client;
  private final boolean shared;
  private volatile int version;
  private volatile int process;
  private volatile boolean tellsNothing;

  private Shim(ShimAddress address, TtrpcClient client, boolean shared) {
    this.address = address;
    this.client = client;
    this.shared = shared;
    this.version = address.version();
  }

  /**
   * Connects, in one attempt.
   *
   * @throws UnavailableException if nobody answers there
   */
  public static Shim connect(ShimAddress address, Duration limit) throws InterruptedException {
    return connect(address, limit, false);
  }

  /** As {@link #connect}, for many tasks: none of them ends the connection. */
  static Shim connectShared(ShimAddress address, Duration limit) throws InterruptedException {
    return connect(address, limit, true);
  }

  private static Shim connect(ShimAddress address, Duration limit, boolean shared)
      throws InterruptedException {
    Path socket = address.socket();
    try {
      return new Shim(address, TtrpcClient.connect(socket, limit), shared);
    } catch (IOException e) {
      throw new UnavailableException("shim at " + address.address() + ": " + e.getMessage(), e);
    }
  }

  /** Where it is, with the version that it turned out to speak. */
  public ShimAddress address() {
    return new ShimAddress(version, address.address(), address.protocol());
  }

  /** Runs once, on a thread of its own, when the connection has ended for whatever reason. */
  public void onLost(Runnable listener) {
    client.onClose(listener);
  }

  /** Whether tasks share the connection, and with it the shim. */
  public boolean isShared() {
    return shared;
  }

  /** Whether the connection has ended. */
  public boolean isLost() {
    return client.isClosed();
  }

  /** Whether a failure of a call says that the connection ended. */
  public static boolean isLost(ContainerdException failure) {
    return ShimFailures.isLost(failure);
  }

  /**
   * Calls a method of the task service.
   *
   * @param limit empty for one that takes as long as the shim lives
   */
  public <A extends MessageLite> A call(
      String namespace,
      String method,
      MessageLite request,
      Parser<A> answer,
      Optional<Duration> limit)
      throws InterruptedException {
    return call("containerd.task.v" + version + ".Task", namespace, method, request, answer, limit);
  }

  /**
   * Calls a method of the sandbox service, which few shims have.
   *
   * @param limit empty for one that takes as long as the shim lives
   */
  public <A extends MessageLite> A callSandbox(
      String namespace,
      String method,
      MessageLite request,
      Parser<A> answer,
      Optional<Duration> limit)
      throws InterruptedException {
    return call(SANDBOXES, namespace, method, request, answer, limit);
  }

  private <A extends MessageLite> A call(
      String service,
      String namespace,
      String method,
      MessageLite request,
      Parser<A> answer,
      Optional<Duration> limit)
      throws InterruptedException {
    CallOptions options = new CallOptions(limit, Metadata.namespace(namespace));
    try {
      return client.call(service, method, request, answer, options);
    } catch (TtrpcException e) {
      throw ShimFailures.of(e);
    }
  }

  /**
   * As {@link #call}, for the first call of a connection: a shim that says it speaks version 3 and
   * does not is spoken to in version 2 from then on.
   */
  public <A extends MessageLite> A firstCall(
      String namespace,
      String method,
      MessageLite request,
      Parser<A> answer,
      Optional<Duration> limit)
      throws InterruptedException {
    try {
      return call(namespace, method, request, answer, limit);
    } catch (NotImplementedException e) {
      if (version != 3) {
        throw e;
      }
      version = 2;
      try {
        return call(namespace, method, request, answer, limit);
      } catch (NotImplementedException second) { // it is the method that it lacks, not the version
        version = 3;
        second.addSuppressed(e);
        throw second;
      } catch (ContainerdException second) {
        second.addSuppressed(e);
        throw second;
      }
    }
  }

  /** Asks who serves and for the task's process; 0 for a task that the shim does not know. */
  public ConnectResponse whoServes(String namespace, String id, Duration limit)
      throws InterruptedException {
    return firstCall(
        namespace,
        "Connect",
        ConnectRequest.newBuilder().setId(id).build(),
        ConnectResponse.parser(),
        Optional.of(limit));
  }

  /**
   * The process id that the shim tells of itself, 0 for none. Asked for once: who is at the other
   * end of a connection stays the same.
   */
  public int process(String namespace, String id, Duration limit) throws InterruptedException {
    if (process == 0) {
      process = whoServes(namespace, id, limit).getShimPid();
    }
    return process;
  }

  /**
   * What the shim says that it does, if it is one that tells: ours does, others do not.
   *
   * @param kind of operations
   * @param key a container, or container and exec
   */
  public List<Operation> operations(String namespace, String kind, String key)
      throws InterruptedException {
    if (tellsNothing) {
      return List.of();
    }
    ListOperationsRequest request =
        ListOperationsRequest.newBuilder()
            .addFilters(
                "namespace==%s,kind==%s,key==%s".formatted(quoted(namespace), kind, quoted(key)))
            .build();
    try {
      return client
          .call(
              OPERATIONS,
              "List",
              request,
              ListOperationsResponse.parser(),
              new CallOptions(Optional.of(LOOK), Metadata.namespace(namespace)))
          .getOperationsList()
          .stream()
          .map(OperationMessages::toCore)
          .toList();
    } catch (TtrpcException e) {
      ContainerdException failure = ShimFailures.of(e);
      if (failure instanceof NotImplementedException) {
        tellsNothing = true;
        return List.of();
      }
      throw failure;
    }
  }

  /**
   * Has the shim end what it does, if it is one that can.
   *
   * @return whether there was something that ends now
   */
  public boolean cancel(String namespace, String kind, String key) throws InterruptedException {
    boolean any = false;
    for (Operation operation : operations(namespace, kind, key)) {
      try {
        client.call(
            OPERATIONS,
            "Cancel",
            CancelOperationRequest.newBuilder().setId(operation.id()).build(),
            Empty.parser(),
            new CallOptions(Optional.of(LOOK), Metadata.namespace(namespace)));
        any = true;
      } catch (TtrpcException e) {
        ContainerdException failure = ShimFailures.of(e);
        if (!(failure instanceof NotFoundException)) { // else it has just ended
          throw failure;
        }
      }
    }
    return any;
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  /** Tells the shim to leave if it keeps nothing else. */
  public void shutdown(String namespace, String id, Duration limit) throws InterruptedException {
    call(
        namespace,
        "Shutdown",
        ShutdownRequest.newBuilder().setId(id).build(),
        Empty.parser(),
        Optional.of(limit));
  }

  /** Ends the connection unless others use it too; the shim goes on. */
  @Override
  public void close() {
    if (!shared) {
      end();
    }
  }

  /** Ends the connection whoever uses it. */
  void end() {
    client.close();
  }
}
