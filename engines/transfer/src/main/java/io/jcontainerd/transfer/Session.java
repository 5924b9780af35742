package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.transfer.flow.Flights;
import java.util.Optional;

/**
 * What one transfer holds: the connection to its registry, and its lease if it has one of its own.
 * Work that others wait for too may outlast the transfer that began it; so both are let go when the
 * last one has ended. Safe for many threads.
 */
final class Session implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Session.class.getName());

  private final Registry registry;
  private final String reference;
  private final LeaseStore leases;
  private final Call call;
  private final Optional<String> ownLease;
  private final Remains remains;
  private int holders = 1;
  private boolean succeeded;
  private boolean keepsRemains;

  /**
   * @param reference as the registry knows the image
   * @param call in which the lease is
   * @param ownLease ended with the session
   */
  Session(
      Registry registry,
      String reference,
      LeaseStore leases,
      Remains remains,
      Call call,
      Optional<String> ownLease) {
    this.registry = registry;
    this.reference = reference;
    this.leases = leases;
    this.remains = remains;
    this.call = call;
    this.ownLease = ownLease;
  }

  Registry registry() {
    return registry;
  }

  /** Whether what comes is from a registry. */
  boolean isRemote() {
    return !(registry instanceof ImportedContent);
  }

  /** It failed, and what it has brought is to go. */
  synchronized void forgetRemains() {
    keepsRemains = false;
  }

  /** In which the work is done. */
  Call call() {
    return call;
  }

  String reference() {
    return reference;
  }

  private synchronized Session held() {
    if (holders == 0) {
      throw new IllegalStateException("the session of " + reference + " is closed");
    }
    holders++;
    return this;
  }

  /** Work that keeps the session open until it is done, or would not be begun. */
  Flights.Work<Word> holding(Flights.Work<Word> work) {
    Session kept = held();
    return tell -> {
      try (kept) {
        work.run(tell);
      }
    };
  }

  /** All went well: nothing has to be kept for another try. */
  synchronized void succeed() {
    succeeded = true;
  }

  /** It failed, and what it has brought is to be kept for another try. */
  synchronized void keepRemains() {
    keepsRemains = true;
  }

  /** One holder less. */
  @Override
  public void close() {
    synchronized (this) {
      holders--;
      if (holders > 0) {
        return;
      }
    }
    CleanUp.apart(() -> call.run(this::end));
  }

  private void end() {
    try {
      registry.close();
    } finally {
      ownLease.ifPresent(this::release);
    }
  }

  /** A lease that stays expires by itself. */
  private void release(String id) {
    try {
      remember(id);
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, "remains of " + reference + " could not be kept", e);
    }
    try {
      leases.delete(id, false);
    } catch (NotFoundException _) {
      // somebody else has ended it
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, "lease " + id + " could not be ended", e);
    }
  }

  private void remember(String id) {
    boolean well;
    boolean keeps;
    synchronized (this) {
      well = succeeded;
      keeps = keepsRemains;
    }
    if (well) {
      remains.drop(reference);
    } else if (keeps) {
      remains.keep(reference, id);
    }
  }
}
