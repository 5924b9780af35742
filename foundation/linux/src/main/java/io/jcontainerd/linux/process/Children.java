package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.ProcessCalls;
import io.jcontainerd.linux.libc.ProcessCalls.Siginfo;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The processes whose ends somebody waits for, all by one {@link Reactor}. Safe for many threads.
 *
 * <p>Ends are collected per pidfd only, so that other parents in this JVM keep their children. The
 * exception is asked for by {@link #reapOrphans}: then children that nobody watches - orphans that
 * the kernel gave to this process because it is a subreaper - are collected too, but never while
 * somebody holds a {@link Hold}: a program that was started and is about to leave a child behind
 * (an OCI runtime that leaves a container) has not told yet whom to watch.
 *
 * <p>Lock order: the monitor of this object guards holds and the taking of orphans; it is never
 * held while anything but waitid(2) without waiting runs.
 */
public final class Children {
  private static final System.Logger LOG = System.getLogger(Children.class.getName());
  private static final Duration SWEEP = Duration.ofSeconds(10);

  /** How long whoever is the parent of an ended process may take to collect it. */
  private static final Duration UNTIL_REAPED = Duration.ofSeconds(3);

  /** How long a child that was killed may take to end, on a machine with much to do. */
  private static final Duration UNTIL_DEAD = Duration.ofSeconds(30);

  private final Reactor reactor;
  private final Clock clock;
  private final Map<Integer, Child> watched = new ConcurrentHashMap<>();
  private int holds;
  private boolean reaping;

  /** Children watched by the reactor; ends carry the clock's time. */
  public Children(Reactor reactor, Clock clock) {
    this.reactor = reactor;
    this.clock = clock;
  }

  /** Makes orphans among our descendants our children (prctl PR_SET_CHILD_SUBREAPER). */
  public static void becomeSubreaper() throws ErrnoException {
    ProcessCalls.prctl(ProcessCalls.PR_SET_CHILD_SUBREAPER, 1);
  }

  /** Whether orphans among our descendants become our children. */
  public static boolean isSubreaper() throws ErrnoException {
    return ProcessCalls.prctlRead(ProcessCalls.PR_GET_CHILD_SUBREAPER) != 0;
  }

  /** From now on collects every child, watched or not. Nothing else may be a parent in this JVM. */
  public void reapOrphans() {
    synchronized (this) {
      if (reaping) {
        return;
      }
      reaping = true;
    }
    reactor.execute(this::periodicSweep);
  }

  /** While one is open, no orphan is collected. */
  public final class Hold implements AutoCloseable {
    private boolean open = true;

    private Hold() {}

    @Override
    public void close() {
      boolean last;
      synchronized (Children.this) {
        if (!open) {
          return;
        }
        open = false;
        last = --holds == 0 && reaping;
      }
      if (last) {
        reactor.execute(Children.this::sweep);
      }
    }
  }

  /** Keeps orphans from being collected until it is closed. */
  public synchronized Hold hold() {
    holds++;
    return new Hold();
  }

  /** Starts a program and watches it. One that cannot be watched does not go on. */
  public Child spawn(Program program) throws ErrnoException {
    try (Hold _ = hold()) {
      int pid = program.start();
      try {
        return watch(
            new Child(
                pid, OwnedDescriptor.owning(ProcessCalls.pidfd_open(pid)), program.endsGroup()));
      } catch (ErrnoException | RuntimeException e) {
        endUnwatched(pid, program.endsGroup(), e);
        throw e;
      }
    }
  }

  /** Kills and collects a child of ours, whose number stays its own until then. */
  private static void endUnwatched(int pid, boolean group, Exception why) {
    try {
      boolean _ = Signals.send(group ? -pid : pid, Signals.KILL);
      long begun = System.nanoTime();
      while (ProcessCalls.waitid(
                  ProcessCalls.P_PID, pid, ProcessCalls.WEXITED | ProcessCalls.WNOHANG)
              .pid()
          == 0) {
        if (System.nanoTime() - begun > UNTIL_DEAD.toNanos()) {
          throw new ErrnoException("waitid", "pid " + pid + ", which was killed", Errno.ETIMEDOUT);
        }
        LockSupport.parkNanos(1_000_000);
      }
    } catch (ErrnoException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * Watches a process: a child of ours that was not collected yet, or any other whose number is
   * certain to be its own still.
   *
   * @throws ErrnoException with ESRCH if there is no such process
   */
  public Child watch(int pid) throws ErrnoException {
    return watch(new Child(pid, OwnedDescriptor.owning(ProcessCalls.pidfd_open(pid))));
  }

  private Child watch(Child child) throws ErrnoException {
    begin(child);
    return child;
  }

  /** Watches the process if it still is the one that was recorded. */
  public Optional<Child> adopt(ProcessIdentity identity) throws IOException {
    OwnedDescriptor pidfd;
    try {
      pidfd = OwnedDescriptor.owning(ProcessCalls.pidfd_open(identity.pid()));
    } catch (ErrnoException e) {
      if (e.is(Errno.ESRCH, Errno.EINVAL)) { // EINVAL: the number belongs to a mere thread now
        return Optional.empty();
      }
      throw e;
    }
    boolean taken = false;
    try {
      // the pidfd pins whom we found: if the start time is right now, it was right then
      if (ProcessIdentity.of(identity.pid()).filter(identity::equals).isEmpty()) {
        return Optional.empty();
      }
      Child child = new Child(identity.pid(), pidfd);
      taken = true;
      begin(child);
      return Optional.of(child);
    } finally {
      if (!taken) {
        pidfd.close();
      }
    }
  }

  /** How many processes are watched. */
  public int count() {
    return watched.size();
  }

  private void begin(Child child) throws ErrnoException {
    watched.put(child.pid(), child);
    try {
      child.registered(
          reactor.register(child.descriptor(), Reactor.READABLE, events -> collect(child, events)));
    } catch (ErrnoException | RuntimeException e) {
      watched.remove(child.pid(), child);
      child.abandon();
      throw e;
    }
  }

  private void collect(Child child, int events) throws ErrnoException {
    if (child.ended().isPresent()) {
      return;
    }
    Siginfo info;
    try {
      if (child.endsGroup()) {
        endGroup(child);
      }
      info =
          ProcessCalls.waitid(
              ProcessCalls.P_PIDFD,
              child.descriptor().number(),
              ProcessCalls.WEXITED | ProcessCalls.WNOHANG);
    } catch (ErrnoException e) {
      if (e.is(Errno.ECHILD)) {
        collectForeign(child, events);
        return;
      }
      throw e;
    }
    if (info.pid() != 0) {
      boolean exited = info.code() == ProcessCalls.CLD_EXITED;
      finish(child, ExitStatus.ofChild(exited, info.status(), now()));
    }
  }

  /**
   * Ends what the child leaves in its process group. As long as the child was not collected, its
   * number is its own, and so is the group's.
   */
  private static void endGroup(Child child) throws ErrnoException {
    Siginfo info =
        ProcessCalls.waitid(
            ProcessCalls.P_PIDFD,
            child.descriptor().number(),
            ProcessCalls.WEXITED | ProcessCalls.WNOHANG | ProcessCalls.WNOWAIT);
    if (info.pid() == 0) {
      return;
    }
    try {
      Signals.send(-child.pid(), Signals.KILL);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EPERM)) { // of which none is ours to end
        throw e;
      }
    }
  }

  /**
   * The end of a process that is not our child: its parent collects it, and after that, and only
   * then, kernels from 6.15 on tell the status through the pidfd.
   */
  private void collectForeign(Child child, int events) throws ErrnoException {
    int status;
    try {
      status = ProcessCalls.pidfdExitCode(child.descriptor().number());
    } catch (ErrnoException e) {
      if (!e.is(Errno.ESRCH, Errno.ENOTTY, Errno.EINVAL)) {
        throw e;
      }
      status = -1;
      events |= Reactor.HANGUP; // this kernel keeps nothing, so there is nothing to wait for
    }
    if (status >= 0) {
      finish(child, ExitStatus.ofWaitStatus(status, now()));
    } else if ((events & Reactor.HANGUP) != 0) {
      finish(child, new ExitStatus(ExitStatus.UNKNOWN, now()));
    } else {
      child.awaitHangup();
      reactor.schedule(
          UNTIL_REAPED,
          () -> {
            if (child.ended().isEmpty()) {
              finish(child, new ExitStatus(ExitStatus.UNKNOWN, now()));
            }
          });
    }
  }

  private void finish(Child child, ExitStatus status) {
    watched.remove(child.pid(), child);
    child.end(status);
    sweep();
  }

  private void periodicSweep() {
    sweep();
    reactor.schedule(SWEEP, this::periodicSweep);
  }

  /** Collects orphans that have ended, until the next one to collect is somebody's. */
  private void sweep() {
    while (true) {
      synchronized (this) {
        if (!reaping || holds > 0) {
          return;
        }
        try {
          Siginfo next =
              ProcessCalls.waitid(
                  ProcessCalls.P_ALL,
                  0,
                  ProcessCalls.WEXITED | ProcessCalls.WNOHANG | ProcessCalls.WNOWAIT);
          if (next.pid() == 0 || watched.containsKey(next.pid())) {
            return;
          }
          ProcessCalls.waitid(
              ProcessCalls.P_PID, next.pid(), ProcessCalls.WEXITED | ProcessCalls.WNOHANG);
        } catch (ErrnoException e) {
          if (!e.is(Errno.ECHILD)) {
            LOG.log(Level.ERROR, "cannot collect orphans", e);
          }
          return;
        }
      }
    }
  }

  private Instant now() {
    return clock.instant();
  }
}
