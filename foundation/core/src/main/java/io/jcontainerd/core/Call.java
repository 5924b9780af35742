package io.jcontainerd.core;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * What goes with a request and not through every signature: namespace, lease and deadline.
 *
 * <p>Bound to the running code by one interceptor per transport and by tests. A thread that does
 * part of a request's work gets the call by {@link #carrying}. Nothing else may hide here.
 *
 * @param namespaceHeader as the client sent it, unchecked; empty when it sent none
 * @param lease the id of the lease that gets what is created
 * @param deadline when the caller stops waiting
 */
public record Call(
    Optional<String> namespaceHeader, Optional<String> lease, Optional<Instant> deadline) {

  private static final ScopedValue<Call> CURRENT = ScopedValue.newInstance();
  private static final Call NONE = new Call(Optional.empty(), Optional.empty(), Optional.empty());

  /** An empty header counts as none. */
  public Call {
    namespaceHeader = namespaceHeader.filter(n -> !n.isEmpty());
    lease = lease.filter(l -> !l.isEmpty());
  }

  /** A call in the namespace, without lease or deadline. */
  public static Call in(String namespace) {
    return new Call(Optional.of(namespace), Optional.empty(), Optional.empty());
  }

  /** This call, with all that is created added to the lease. */
  public Call withLease(String id) {
    return new Call(namespaceHeader, Optional.of(id), deadline);
  }

  /** This call without a lease. */
  public Call withoutLease() {
    return new Call(namespaceHeader, Optional.empty(), deadline);
  }

  /** The call that the running code is part of; one without parts if there is none. */
  public static Call current() {
    return CURRENT.isBound() ? CURRENT.get() : NONE;
  }

  /**
   * The namespace of the current call.
   *
   * @throws FailedPreconditionException if there is none
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if it is no identifier
   */
  public static String currentNamespace() {
    return current().namespace();
  }

  /**
   * The namespace.
   *
   * @throws FailedPreconditionException if there is none
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if it is no identifier
   */
  public String namespace() {
    return Identifiers.check(
        namespaceHeader.orElseThrow(
            () -> new FailedPreconditionException("namespace is required")));
  }

  /** Runs the body as part of this call. */
  public <T, X extends Throwable> T call(ScopedValue.CallableOp<T, X> body) throws X {
    return ScopedValue.where(CURRENT, this).call(body);
  }

  /** Runs the body as part of this call. */
  public void run(Runnable body) {
    ScopedValue.where(CURRENT, this).run(body);
  }

  /** Carries the current call into a task that another thread will run. */
  public static <T> Callable<T> carrying(Callable<T> task) {
    Call call = current();
    return () -> ScopedValue.where(CURRENT, call).call(task::call);
  }
}
