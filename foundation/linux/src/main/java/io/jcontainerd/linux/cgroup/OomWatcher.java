package io.jcontainerd.linux.cgroup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.OwnedDescriptor.Access;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.InotifyCalls;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Tells when the kernel kills in a group for lack of memory. Safe for many threads.
 *
 * <p>Version 1: an event counter for each group, bound to {@code memory.oom_control} through {@code
 * cgroup.event_control}; it is also woken when the group is removed. Version 2: one inotify
 * instance for all groups (a user may have few of them), watching {@code memory.events}; an event
 * counts only if {@code oom_kill} rose.
 */
public final class OomWatcher {
  private static final System.Logger LOG = System.getLogger(OomWatcher.class.getName());
  private static final int EVENT_HEADER = 16;
  private static final int BUFFER = 16 * 1024;

  private final Reactor reactor;
  private final Map<Integer, Watched> watched = new ConcurrentHashMap<>();
  private @Nullable OwnedDescriptor inotify;

  private static final class Watched {
    private final CgroupV2 group;
    private final Runnable listener;
    private long kills;

    Watched(CgroupV2 group, Runnable listener, long kills) {
      this.group = group;
      this.listener = listener;
      this.kills = kills;
    }

    /** Whether there were kills since the last time. */
    synchronized boolean rose() throws IOException {
      long now = group.oomKills();
      boolean rose = now > kills;
      kills = now;
      return rose;
    }
  }

  /** The watching of one group. Ending it twice does no harm. */
  public interface Watch {
    /**
     * Ends it. The kernel tells of a kill some time after it, and puts it off when it told of
     * something else shortly before: who learns of a process's end first must ask here.
     *
     * @return whether the kernel has killed and the listener did not run for it, nor ever will
     */
    boolean end();
  }

  /** A watcher whose listeners run on the reactor's thread. */
  public OomWatcher(Reactor reactor) {
    this.reactor = reactor;
  }

  /**
   * Watches a group.
   *
   * @param listener runs on the reactor's thread for each kill or burst of kills; must not block
   * @return empty if the group does not count memory
   */
  public Optional<Watch> watch(ContainerCgroup group, Runnable listener) throws IOException {
    return switch (group) {
      case CgroupV1 v1 -> {
        Optional<Path> folder = v1.folder("memory");
        yield folder.isEmpty() ? Optional.empty() : watchV1(folder.get(), listener);
      }
      case CgroupV2 v2 -> watchV2(v2, listener);
    };
  }

  private Optional<Watch> watchV1(Path folder, Runnable listener) throws IOException {
    Path control = folder.resolve("cgroup.event_control");
    Path oom = folder.resolve("memory.oom_control");
    if (!Files.exists(control) || !Files.exists(oom)) {
      return Optional.empty();
    }
    OwnedDescriptor counter = OwnedDescriptor.eventCounter();
    boolean taken = false;
    try {
      try (OwnedDescriptor source = OwnedDescriptor.open(oom, Access.READ);
          OwnedDescriptor registrar = OwnedDescriptor.open(control, Access.WRITE)) {
        byte[] line = (counter.number() + " " + source.number()).getBytes(UTF_8);
        try (Arena arena = Arena.ofConfined()) {
          registrar.write(arena.allocate(line.length).asByteBuffer().put(line).flip());
        }
      }
      Reactor.Registration registration =
          reactor.register(counter, Reactor.READABLE, _ -> counted(counter, control, listener));
      taken = true;
      AtomicBoolean ended = new AtomicBoolean();
      return Optional.of(() -> !ended.getAndSet(true) && end(counter, control, registration));
    } finally {
      if (!taken) {
        counter.close();
      }
    }
  }

  private static void counted(OwnedDescriptor counter, Path control, Runnable listener)
      throws ErrnoException {
    if (rose(counter, control)) {
      listener.run();
    }
  }

  private static boolean rose(OwnedDescriptor counter, Path control) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      return counter.read(arena.allocate(Long.BYTES).asByteBuffer()) > 0
          && Files.exists(control); // else it was woken by the group's end
    }
  }

  private static boolean end(
      OwnedDescriptor counter, Path control, Reactor.Registration registration) {
    try {
      return rose(counter, control);
    } catch (ErrnoException e) {
      LOG.log(Level.WARNING, "kills counted by " + control + " are unknown", e);
      return false;
    } finally {
      registration.close();
    }
  }

  private synchronized Optional<Watch> watchV2(CgroupV2 group, Runnable listener)
      throws IOException {
    Path events = group.folder().resolve("memory.events");
    if (!Files.exists(events)) {
      return Optional.empty();
    }
    OwnedDescriptor instance = instance();
    long before = group.oomKills();
    int watch =
        InotifyCalls.inotify_add_watch(
            instance.number(), events.toString(), InotifyCalls.IN_MODIFY);
    watched.put(watch, new Watched(group, listener, before));
    return Optional.of(() -> end(watch));
  }

  private boolean end(int watch) {
    Watched group = watched.remove(watch);
    if (group == null) {
      return false;
    }
    unwatch(watch);
    try {
      return group.rose();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "kills in " + group.group.folder() + " are unknown", e);
      return false;
    }
  }

  private synchronized void unwatch(int watch) {
    OwnedDescriptor instance = inotify;
    if (instance != null) {
      InotifyCalls.inotify_rm_watch(instance.number(), watch);
    }
  }

  private OwnedDescriptor instance() throws ErrnoException {
    OwnedDescriptor instance = inotify;
    if (instance == null) {
      instance =
          OwnedDescriptor.owning(
              InotifyCalls.inotify_init1(InotifyCalls.IN_CLOEXEC | InotifyCalls.IN_NONBLOCK));
      OwnedDescriptor opened = instance;
      reactor.register(opened, Reactor.READABLE, _ -> drain(opened));
      inotify = opened;
    }
    return instance;
  }

  /** Format of the events: inotify(7), a header of 16 bytes and a name of the length it tells. */
  private void drain(OwnedDescriptor instance) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer events = arena.allocate(BUFFER).asByteBuffer().order(ByteOrder.nativeOrder());
      while (instance.read(events) > 0) {
        events.flip();
        while (events.remaining() >= EVENT_HEADER) {
          int watch = events.getInt();
          int mask = events.getInt();
          events.getInt(); // cookie
          int length = events.getInt();
          events.position(events.position() + length);
          if ((mask & InotifyCalls.IN_IGNORED) != 0) {
            watched.remove(watch); // the group is gone
          } else {
            modified(watch);
          }
        }
        events.clear();
      }
    }
  }

  private void modified(int watch) throws IOException {
    Watched group = watched.get(watch);
    if (group != null && group.rose()) {
      group.listener.run();
    }
  }
}
