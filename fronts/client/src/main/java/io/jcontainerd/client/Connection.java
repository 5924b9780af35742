package io.jcontainerd.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.Calls;
import io.jcontainerd.wire.Failures;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A channel that speaks for a namespace: it adds headers and a deadline to every call and turns
 * status into failures.
 *
 * <p>The namespace is that of the current {@link Call}, else the client's own. A unary call without
 * a deadline gets one: short for what is answered from records, long for what moves data, none for
 * what waits for a process.
 */
final class Connection {
  /** Methods that may take long, by name, and how long. */
  private static final Map<String, Duration> LONG =
      Map.of(
          "jcontainerd.services.operations.v1.Operations/Join", Duration.ZERO,
          "containerd.services.diff.v1.Diff/Apply", Duration.ofHours(2),
          "containerd.services.diff.v1.Diff/Diff", Duration.ofHours(2),
          "containerd.services.tasks.v1.Tasks/Checkpoint", Duration.ofHours(2),
          "jcontainerd.services.storage.v1.Storage/DiskUsage", Duration.ofMinutes(30),
          "containerd.services.images.v1.Images/Delete", Duration.ofMinutes(30),
          "containerd.services.leases.v1.Leases/Delete", Duration.ofMinutes(30),
          "containerd.services.transfer.v1.Transfer/Transfer", Duration.ofHours(24),
          "containerd.services.sandbox.v1.Controller/Wait", Duration.ZERO,
          "containerd.services.tasks.v1.Tasks/Wait", Duration.ZERO);

  /** Waits for one message of many, in answers from records: it may be a commit of much. */
  private static final int STALL = 10;

  private final Channel channel;
  private final Channel raw;
  private final Optional<String> namespace;
  private final Duration timeout;
  private final boolean leases;

  Connection(Channel raw, Optional<String> namespace, Duration timeout) {
    this(raw, namespace, timeout, true);
  }

  private Connection(Channel raw, Optional<String> namespace, Duration timeout, boolean leases) {
    this.raw = raw;
    this.namespace = namespace;
    this.timeout = timeout;
    this.leases = leases;
    this.channel = ClientInterceptors.intercept(raw, new Headers());
  }

  Connection in(String other) {
    return new Connection(raw, Optional.of(other), timeout, leases);
  }

  Connection withoutLeases() {
    return new Connection(raw, namespace, timeout, false);
  }

  Channel channel() {
    return channel;
  }

  /** How long a message of a call of several is waited for; zero is without limit. */
  Duration stall() {
    return timeout.multipliedBy(STALL);
  }

  Optional<String> namespace() {
    return Call.current().namespaceHeader().or(() -> namespace);
  }

  /** The current call, completed by what this connection speaks for. */
  Call current() {
    Call call = leases ? Call.current() : Call.current().withoutLease();
    return call.namespaceHeader().isPresent()
        ? call
        : new Call(namespace, call.lease(), call.deadline());
  }

  /** A call whose failures are told in core's words. */
  @FunctionalInterface
  interface Request<T extends @Nullable Object> {
    T send() throws StatusException, InterruptedException;
  }

  /** Sends; interruption becomes {@link CancelledException} and stays set. */
  static <T extends @Nullable Object> T send(Request<T> request) {
    try {
      return sendInterruptibly(request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("call to the daemon", e);
    }
  }

  /** Sends; interruption is thrown. */
  static <T extends @Nullable Object> T sendInterruptibly(Request<T> request)
      throws InterruptedException {
    try {
      return request.send();
    } catch (StatusRuntimeException e) {
      throw interruptedOr(withCause(Failures.toCore(e), e));
    } catch (StatusException e) {
      throw interruptedOr(withCause(Failures.toCore(e), e));
    }
  }

  /** Of a connection that cannot be made, only the cause says to whom. */
  private static ContainerdException withCause(ContainerdException failure, Exception status) {
    return failure instanceof UnavailableException && status.getCause() instanceof IOException cause
        ? new UnavailableException(failure.getMessage() + ": " + cause.getMessage(), status)
        : failure;
  }

  /** Blocking stubs tell an interruption as a cancelled call with the flag set. */
  private static ContainerdException interruptedOr(ContainerdException failure)
      throws InterruptedException {
    if (failure instanceof CancelledException && Thread.interrupted()) {
      InterruptedException interrupted = new InterruptedException(failure.getMessage());
      interrupted.initCause(failure);
      throw interrupted;
    }
    return failure;
  }

  private final class Headers implements ClientInterceptor {
    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      Call call = current();
      Metadata headers = Calls.toGrpc(call);
      return new SimpleForwardingClientCall<Q, R>(
          next.newCall(method, limited(method, options, call))) {
        @Override
        public void start(Listener<R> listener, Metadata given) {
          given.merge(headers);
          super.start(listener, given);
        }
      };
    }

    private CallOptions limited(MethodDescriptor<?, ?> method, CallOptions options, Call call) {
      if (options.getDeadline() != null) {
        return options;
      }
      if (call.deadline().isPresent()) {
        Duration left = Duration.between(Instant.now(), call.deadline().get());
        return options.withDeadline(Deadline.after(left.toNanos(), TimeUnit.NANOSECONDS));
      }
      Duration allowed = LONG.getOrDefault(method.getFullMethodName(), timeout);
      return method.getType() == MethodDescriptor.MethodType.UNARY && !allowed.isZero()
          ? options.withDeadlineAfter(allowed.toNanos(), TimeUnit.NANOSECONDS)
          : options;
    }
  }
}
