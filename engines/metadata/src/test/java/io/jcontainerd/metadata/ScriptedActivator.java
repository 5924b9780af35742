package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountActivator;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;

/** Mounts all but the last of a list, in memory. */
final class ScriptedActivator implements MountActivator {
  private final AtomicLong next = new AtomicLong(1);
  private final Set<Long> mounted = new ConcurrentSkipListSet<>();

  /** Whether nothing can be undone. */
  volatile boolean stuck;

  @Override
  public Done activate(List<Mount> mounts, ActivationOptions options) {
    if (mounts.size() < 2) {
      throw new NotImplementedException("nothing to do");
    }
    long id = next.getAndIncrement();
    mounted.add(id);
    var active =
        mounts.subList(0, mounts.size() - 1).stream()
            .map(
                mount ->
                    new ActiveMount(
                        mount, Instant.ofEpochSecond(id), "/at/" + id, Map.of("key", "value")))
            .toList();
    return new Done(id, active, List.of(mounts.getLast()));
  }

  @Override
  public void deactivate(long id) {
    if (stuck) {
      throw new UnavailableException("busy");
    }
    if (!mounted.remove(id)) {
      throw new NotFoundException("mounts " + id);
    }
  }

  @Override
  public Set<Long> ids() {
    return new TreeSet<>(mounted);
  }

  @Override
  public boolean isWhole(Done done) {
    return mounted.contains(done.id());
  }

  /** What a restart of the machine does. */
  void reboot() {
    mounted.clear();
  }

  /** What a daemon leaves that dies between a mount and its record. */
  long mountUnrecorded() {
    long id = next.getAndIncrement();
    mounted.add(id);
    return id;
  }
}
