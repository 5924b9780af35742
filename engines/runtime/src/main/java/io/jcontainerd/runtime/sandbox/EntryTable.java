package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.runtime.bundle.Bundle;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The sandboxes of a controller by namespace and id. Safe for many threads. */
final class EntryTable<E extends Entry> {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  private record Key(String namespace, String id) {
    static Key of(Bundle bundle) {
      return new Key(bundle.namespace(), bundle.id());
    }
  }

  private final Map<Key, E> entries = new ConcurrentHashMap<>();

  /** Takes a name; waits for the remains of a former sandbox of that name to be gone. */
  void reserve(E entry, Duration limit) throws InterruptedException {
    Key key = Key.of(entry.bundle());
    long deadline = System.nanoTime() + limit.toNanos();
    E before = entries.putIfAbsent(key, entry);
    while (before != null) {
      if (!before.isAt(Entry.Stage.ENDING)) {
        throw new AlreadyExistsException("sandbox \"" + key.id() + "\"");
      }
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      if (!before.awaitGone(left)) {
        throw new UnavailableException(
            "sandbox \"" + key.id() + "\": the former one is still removed");
      }
      before = entries.putIfAbsent(key, entry);
    }
  }

  /** The sandbox, if it can be asked. */
  Optional<E> find(String namespace, String id) {
    return Optional.ofNullable(entries.get(new Key(namespace, id)))
        .filter(entry -> entry.isAt(Entry.Stage.LIVE));
  }

  /** The sandbox of the call's namespace, if it can be asked. */
  Optional<E> find(String id) {
    return find(Call.currentNamespace(), id);
  }

  /** As {@link #find(String)}, where there must be one. */
  E live(String id) {
    return find(id).orElseThrow(() -> new NotFoundException("sandbox \"" + id + "\""));
  }

  /** Every entry, whatever its stage. */
  List<E> all() {
    return List.copyOf(entries.values());
  }

  /** Gives the name back. */
  void free(E entry) {
    entries.remove(Key.of(entry.bundle()), entry);
    entry.gone();
  }

  /** A part of the end of a sandbox. */
  interface Step {
    void run() throws InterruptedException;
  }

  /**
   * Runs on a thread of its own, in the entry's namespace, which the caller's cancel does not
   * reach, and waits for it. Whom its steps ask, they ask with limits.
   *
   * @return what failed
   */
  Optional<ContainerdException> detached(E entry, Step step) throws InterruptedException {
    var failure = new AtomicReference<@Nullable ContainerdException>();
    Thread.ofVirtual()
        .name("end of the sandbox of " + entry.bundle())
        .start(() -> run(entry, step, failure))
        .join();
    return Optional.ofNullable(failure.get());
  }

  private static void run(
      Entry entry, Step step, AtomicReference<@Nullable ContainerdException> failure) {
    try {
      Call.in(entry.bundle().namespace())
          .call(
              () -> {
                step.run();
                return true;
              });
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "end of the sandbox of " + entry.bundle(), e);
      failure.set(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
