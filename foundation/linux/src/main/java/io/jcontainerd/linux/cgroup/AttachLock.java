package io.jcontainerd.linux.cgroup;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The kernel's lock for moving processes between control groups, taken ahead of time.
 *
 * <p>Whoever forks holds the reading side of that lock, whoever writes to {@code cgroup.procs} its
 * writing side. The first writer after a pause waits for an RCU grace period, some milliseconds up
 * to tens of them, and those who follow soon after do not (percpu-rwsem; unless the hierarchy is
 * mounted with {@code favordynmods}). An OCI runtime writes there in every create and exec, some
 * milliseconds after its start. So the wait can pass while the runtime starts: this process writes
 * itself to the group it is in, which moves nothing.
 *
 * <p>Safe for many threads, which never wait here.
 */
public final class AttachLock implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(AttachLock.class.getName());
  private static final byte[] SELF = "0".getBytes(US_ASCII);
  private static final long KEEP_SECONDS = 10;

  private final CgroupMounts mounts;
  private final Path membership;
  private final AtomicBoolean asked = new AtomicBoolean();
  private final ThreadPoolExecutor thread;

  AttachLock(CgroupMounts mounts, Path membership) {
    this.mounts = mounts;
    this.membership = membership;
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            KEEP_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("attach-lock").factory());
    thread.allowCoreThreadTimeOut(true);
  }

  /** The lock of this host, for this process; nothing is taken yet. */
  public static AttachLock ofThisProcess() throws IOException {
    return new AttachLock(CgroupMounts.read(), Path.of("/proc/self/cgroup"));
  }

  /** Has the lock taken once, by another thread. One that is on its way already is enough. */
  public void prefetch() {
    if (asked.compareAndSet(false, true)) {
      thread.execute(this::take);
    }
  }

  /** A hint cannot fail: without it the runtime waits itself. */
  private void take() {
    asked.set(false);
    try {
      Optional<Path> group = group(Files.readAllLines(membership));
      if (group.isPresent()) {
        Files.write(group.get().resolve("cgroup.procs"), SELF, StandardOpenOption.WRITE);
      }
    } catch (NoSuchFileException e) {
      LOG.log(Level.DEBUG, "no cgroup of this process", e);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the attach lock was not taken", e);
    }
  }

  /**
   * The folder of the group this process is in, of version 2 where it is mounted. Read anew each
   * time: a manager may have moved us, and we must not move back.
   */
  Optional<Path> group(List<String> lines) {
    Optional<Path> found = Optional.empty();
    for (String line : lines) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3) {
        continue;
      }
      Optional<CgroupMounts.Mount> mount =
          parts[1].isEmpty()
              ? mounts.unified()
              : Optional.ofNullable(mounts.controllers().get(parts[1].split(",", -1)[0]));
      Optional<Path> folder = mount.flatMap(m -> m.folder(parts[2]));
      if (parts[1].isEmpty() && folder.isPresent()) {
        return folder;
      }
      found = found.or(() -> folder);
    }
    return found;
  }

  /** Ends the thread; one that waits for the kernel just now is not waited for. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
