package io.jcontainerd.services;

import com.google.protobuf.Any;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.services.rpc.Source;
import io.jcontainerd.wire.streams.MessageStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The streams that clients have opened and other calls refer to, by namespace and id.
 *
 * <p>A stream is there from its opening until its call ends: because the one that used it closed
 * it, or because its client went, with whatever it had still to say. It belongs to the lease of the
 * call that opened it, if there was one: when that lease has ended, the stream can no longer be
 * taken and is closed, at the latest when somebody asks for it or opens another one. Nothing that
 * is stored refers to streams, so that the garbage collector needs not know them. A stream is used
 * by one call at most, and what its client sends waits on the client's side until it is asked for.
 * Safe for many threads; closing ends all streams.
 */
public final class StreamRegistry implements AutoCloseable {
  /** So many streams may wait or be used in a namespace at the same time. */
  static final int MOST = 1024;

  private record Key(String namespace, String id) {}

  private static final class Entry {
    final ServedStream stream;
    final Optional<String> lease;
    boolean taken;

    Entry(ServedStream stream, Optional<String> lease) {
      this.stream = stream;
      this.lease = lease;
    }
  }

  private final LeaseStore leases;
  private final Map<Key, Entry> streams = new HashMap<>(); // guarded by itself
  private boolean closed; // guarded by streams

  /** A registry without streams. */
  public StreamRegistry(LeaseStore leases) {
    this.leases = leases;
  }

  /**
   * Adds the stream of a client that has told its id; {@link #remove} takes it away again.
   *
   * @throws AlreadyExistsException if the id is in use
   * @throws NotFoundException if the call's lease does not exist
   */
  ServedStream add(String id, Source<Any> requests, Sink<Any> answers) {
    if (id.isEmpty()) {
      throw new InvalidArgumentException("stream id must not be empty");
    }
    Key key = new Key(Call.currentNamespace(), id);
    Optional<String> lease = Call.current().lease();
    if (lease.isPresent() && !exists(lease.get())) {
      throw new NotFoundException("lease \"" + lease.get() + "\"");
    }
    Entry entry = new Entry(new ServedStream(id, requests, answers), lease);
    endThoseWithoutLease(key.namespace());
    synchronized (streams) {
      if (closed) {
        throw new UnavailableException("stream " + id + ": the daemon is stopping");
      }
      if (streams.containsKey(key)) {
        throw new AlreadyExistsException("stream \"" + id + "\"");
      }
      if (streams.keySet().stream().filter(k -> k.namespace().equals(key.namespace())).count()
          >= MOST) {
        throw new ResourceExhaustedException(
            "stream " + id + ": namespace " + key.namespace() + " has " + MOST + " streams");
      }
      streams.put(key, entry);
    }
    return entry.stream;
  }

  void remove(ServedStream stream) {
    Key key = new Key(Call.currentNamespace(), stream.id());
    synchronized (streams) {
      streams.computeIfPresent(key, (_, entry) -> entry.stream == stream ? null : entry);
    }
  }

  /**
   * Takes a stream for the current call, which closes it.
   *
   * @throws NotFoundException if there is none of that id, or its lease has ended
   * @throws FailedPreconditionException if another call uses it
   */
  public MessageStream take(String id) {
    Key key = new Key(Call.currentNamespace(), id);
    endThoseWithoutLease(key.namespace());
    synchronized (streams) {
      Entry entry = streams.get(key);
      if (entry == null) {
        throw new NotFoundException("stream \"" + id + "\"");
      }
      if (entry.taken) {
        throw new FailedPreconditionException("stream \"" + id + "\" is used by another call");
      }
      entry.taken = true;
      return entry.stream;
    }
  }

  private boolean exists(String lease) {
    return leases.list(Filter.ALL).stream().anyMatch(known -> known.id().equals(lease));
  }

  /** Leases are looked up without the lock, for that is another room's work. */
  private void endThoseWithoutLease(String namespace) {
    List<Entry> waiting;
    synchronized (streams) {
      waiting =
          streams.entrySet().stream()
              .filter(e -> e.getKey().namespace().equals(namespace))
              .map(Map.Entry::getValue)
              .filter(e -> !e.taken && e.lease.isPresent())
              .toList();
    }
    for (Entry entry : waiting) {
      if (!exists(entry.lease.orElseThrow())) {
        boolean ends;
        synchronized (streams) {
          ends = !entry.taken && streams.remove(new Key(namespace, entry.stream.id()), entry);
        }
        if (ends) {
          entry.stream.fail("its lease has ended");
        }
      }
    }
  }

  /** How many streams there are in all namespaces. */
  int size() {
    synchronized (streams) {
      return streams.size();
    }
  }

  @Override
  public void close() {
    List<Entry> all;
    synchronized (streams) {
      closed = true;
      all = List.copyOf(streams.values());
    }
    all.forEach(entry -> entry.stream.fail("the daemon is stopping"));
  }
}
