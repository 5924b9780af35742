package io.jcontainerd.shim;

import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.process.Children;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Mounts and unmounts the root file systems of containers, each on a thread of its own: a file
 * system whose server is away may hold that thread for ever, but nobody who waits for it. A mount
 * that comes when nobody waits any more is taken away again.
 */
final class RootMounts {
  private static final System.Logger LOG = System.getLogger(RootMounts.class.getName());

  /** What is written back may be much, or go to a server that is away. */
  private static final Duration LONGEST = Duration.ofMinutes(2);

  private final Kernel kernel;
  private final Children children;
  private final Duration longest;
  private final Map<Container, FutureTask<@Nullable Void>> unmounts = new ConcurrentHashMap<>();

  RootMounts(Kernel kernel, Children children) {
    this(kernel, children, LONGEST);
  }

  /**
   * @param longest how long a mount or unmount is waited for
   */
  RootMounts(Kernel kernel, Children children, Duration longest) {
    this.kernel = kernel;
    this.children = children;
    this.longest = longest;
  }

  private enum Way {
    GOING,
    DONE,
    GIVEN_UP
  }

  /**
   * Mounts a container's root.
   *
   * @throws DeadlineExceededException if it takes too long
   */
  void mount(Container container, List<Mount> mounts) throws IOException, InterruptedException {
    var way = new AtomicReference<>(Way.GOING);
    Children.Hold hold = children.hold(); // a helper's end is the mounter's to see
    FutureTask<@Nullable Void> task =
        new FutureTask<>(
            () -> {
              try (hold) {
                kernel.mount(mounts, container.rootfs());
              }
              if (!way.compareAndSet(Way.GOING, Way.DONE)) {
                kernel.detachAll(container.rootfs());
                LOG.log(
                    Level.INFO, "{0} was mounted when nobody waited any more", container.rootfs());
              }
              return null;
            });
    boolean ended = false;
    try {
      Thread.ofPlatform().daemon().name("mount " + container.id()).start(task);
      await(task, container, "mount");
      ended = true;
    } finally {
      if (!ended) { // whoever undoes the creation takes away what is there by then
        way.compareAndSet(Way.GOING, Way.GIVEN_UP);
        // a helper has ended by then, and a mount that never returns keeps no orphans
        CompletableFuture.delayedExecutor(longest.toNanos(), TimeUnit.NANOSECONDS)
            .execute(hold::close);
      }
    }
  }

  /**
   * Unmounting an overlay writes back its files, so it goes on beside the runtime's delete. While
   * one hangs, whoever asks again is given that one.
   */
  FutureTask<@Nullable Void> unmounting(Container container) {
    FutureTask<@Nullable Void> task =
        new FutureTask<>(
            () -> {
              if (container.rootMounted) {
                unmount(container);
              }
              return null;
            });
    if (!container.rootMounted) {
      task.run();
      return task;
    }
    FutureTask<@Nullable Void> hanging = unmounts.putIfAbsent(container, task);
    if (hanging != null) {
      return hanging;
    }
    Thread.ofPlatform()
        .daemon()
        .name("unmount " + container.id())
        .start(
            () -> {
              try {
                task.run();
              } finally {
                unmounts.remove(container, task);
              }
            });
    return task;
  }

  private void unmount(Container container) throws IOException {
    try {
      kernel.unmountAll(container.rootfs());
    } catch (IOException e) {
      LOG.log(
          Level.WARNING,
          "container {0}: root is busy and will be unmounted by its last user: {1}",
          container.id(),
          e.getMessage());
      kernel.detachAll(container.rootfs());
    }
  }

  /**
   * Waits for the end of an unmount.
   *
   * @throws DeadlineExceededException if it takes too long
   */
  void await(FutureTask<@Nullable Void> unmount, Container container)
      throws IOException, InterruptedException {
    await(unmount, container, "unmount");
  }

  private void await(FutureTask<@Nullable Void> task, Container container, String what)
      throws IOException, InterruptedException {
    String text = "container " + container.id() + ": " + what + " of " + container.rootfs();
    try {
      task.get(longest.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException(
          text + " takes longer than " + longest.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io when what.equals("mount") -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case null, default -> throw new IOException("cannot " + text, e.getCause());
      }
    }
  }
}
