package io.jcontainerd.linux.descriptor;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PollCalls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One platform thread that waits for many descriptors, runs their handlers, small tasks and timers.
 *
 * <p>Nothing that runs on it may block. It survives whatever a handler throws: the handler's
 * descriptor is left alone for a second, so that a broken one cannot eat the processor, and then
 * looked at again.
 *
 * <p>Three things keep a reused descriptor number from being mistaken for its predecessor. Events
 * carry a token that is never used twice, not the number. A registration leaves the map, then the
 * epoll set, and only then is the descriptor closed. And it must leave the epoll set explicitly: a
 * child between fork and exec may still hold the open file, and the kernel would go on reporting
 * it.
 */
public final class Reactor implements AutoCloseable {
  /** Ready to be read. */
  public static final int READABLE = PollCalls.EPOLLIN;

  /** Ready to be written. */
  public static final int WRITABLE = PollCalls.EPOLLOUT;

  /** The other side is gone; reported with whatever is asked for. */
  public static final int HANGUP = PollCalls.EPOLLHUP;

  /** An error is pending; reported with whatever is asked for. */
  public static final int ERROR = PollCalls.EPOLLERR;

  private static final System.Logger LOG = System.getLogger(Reactor.class.getName());
  private static final int BATCH = 64;
  private static final long WAKEUP_TOKEN = 0;
  private static final Duration PENALTY = Duration.ofSeconds(1);

  /** Told about a descriptor's readiness, on the reactor's thread. */
  @FunctionalInterface
  public interface Handler {
    /**
     * The descriptor is ready.
     *
     * @param events bits of {@link #READABLE}, {@link #WRITABLE}, {@link #HANGUP}, {@link #ERROR}
     */
    void ready(int events) throws IOException;
  }

  private final OwnedDescriptor epoll;
  private final OwnedDescriptor wakeup;
  private final Map<Long, Registration> registrations = new ConcurrentHashMap<>();
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicLong tokens = new AtomicLong(WAKEUP_TOKEN + 1);
  private final Thread thread;
  private volatile boolean stopping;

  // owned by the reactor's thread
  private final PriorityQueue<Timer> timers =
      new PriorityQueue<>(Comparator.comparingLong((Timer timer) -> timer.due - timer.origin));
  private final long origin = System.nanoTime();

  private record Timer(long due, long origin, Runnable task) {}

  private Reactor(String name, OwnedDescriptor epoll, OwnedDescriptor wakeup) {
    this.epoll = epoll;
    this.wakeup = wakeup;
    this.thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::loop);
  }

  /**
   * Starts one.
   *
   * @param name of its thread
   */
  public static Reactor start(String name) throws ErrnoException {
    OwnedDescriptor epoll =
        OwnedDescriptor.owning(PollCalls.epoll_create1(PollCalls.EPOLL_CLOEXEC));
    try {
      OwnedDescriptor wakeup = OwnedDescriptor.eventCounter();
      try {
        PollCalls.epoll_ctl(
            epoll.number(), PollCalls.EPOLL_CTL_ADD, wakeup.number(), READABLE, WAKEUP_TOKEN);
        Reactor reactor = new Reactor(name, epoll, wakeup);
        reactor.thread.start();
        return reactor;
      } catch (ErrnoException e) {
        wakeup.close();
        throw e;
      }
    } catch (ErrnoException e) {
      epoll.close();
      throw e;
    }
  }

  /**
   * Watches a descriptor, level-triggered.
   *
   * <p>The handler may run before this returns.
   *
   * @param interest bits of {@link #READABLE} and {@link #WRITABLE}, or {@link #HANGUP} alone
   */
  public Registration register(OwnedDescriptor descriptor, int interest, Handler handler)
      throws ErrnoException {
    Registration registration = new Registration(tokens.getAndIncrement(), descriptor, handler);
    registrations.put(registration.token, registration);
    try {
      registration.interest(interest);
    } catch (ErrnoException e) {
      registrations.remove(registration.token);
      throw e;
    }
    return registration;
  }

  /** Runs a task soon, on the reactor's thread, in the order of the calls. */
  public void execute(Runnable task) {
    tasks.add(task);
    wake();
  }

  /** Runs a task on the reactor's thread when the delay is over. */
  public void schedule(Duration delay, Runnable task) {
    long due = System.nanoTime() + delay.toNanos();
    Runnable enrol = () -> timers.add(new Timer(due, origin, task));
    if (Thread.currentThread() == thread) {
      enrol.run();
    } else {
      execute(enrol);
    }
  }

  /** Whether the caller is on the reactor's thread. */
  public boolean isCurrentThread() {
    return Thread.currentThread() == thread;
  }

  /** How many descriptors are watched. */
  public int watched() {
    return registrations.size();
  }

  /** A watched descriptor. Safe for many threads. */
  public final class Registration implements AutoCloseable {
    private final long token;
    private final OwnedDescriptor descriptor;
    private final Handler handler;
    private int interest;
    private boolean inSet;
    private boolean paused;
    private boolean closed;

    private Registration(long token, OwnedDescriptor descriptor, Handler handler) {
      this.token = token;
      this.descriptor = descriptor;
      this.handler = handler;
    }

    /**
     * Changes what is waited for.
     *
     * @param events bits of {@link #READABLE} and {@link #WRITABLE}; {@link #HANGUP} alone to be
     *     told of nothing but the other side's end; 0 to be told of nothing at all
     */
    public synchronized void interest(int events) throws ErrnoException {
      if (interest != events) {
        interest = events;
        apply();
      }
    }

    private synchronized void pause(boolean on) throws ErrnoException {
      paused = on;
      apply();
    }

    /** Hang-ups cannot be masked, so who wants to be told of nothing has to leave the set. */
    private void apply() throws ErrnoException {
      if (closed) {
        return;
      }
      boolean wanted = interest != 0 && !paused;
      if (wanted || inSet) {
        int operation =
            !wanted
                ? PollCalls.EPOLL_CTL_DEL
                : inSet ? PollCalls.EPOLL_CTL_MOD : PollCalls.EPOLL_CTL_ADD;
        PollCalls.epoll_ctl(epoll.number(), operation, descriptor.number(), interest, token);
        inSet = wanted;
      }
    }

    /** Stops watching and closes the descriptor, in the one right order. */
    @Override
    public void close() {
      synchronized (this) {
        if (closed) {
          return;
        }
        closed = true;
        registrations.remove(token);
        try {
          if (inSet && !descriptor.isClosed()) {
            PollCalls.epoll_ctl(
                epoll.number(), PollCalls.EPOLL_CTL_DEL, descriptor.number(), 0, token);
          }
        } catch (ErrnoException e) {
          LOG.log(Level.WARNING, "cannot stop watching " + descriptor, e);
        }
      }
      // a handler of this descriptor may be inside a call on it: close behind its back
      if (Thread.currentThread() == thread || stopping) {
        descriptor.close();
      } else {
        execute(descriptor::close);
      }
    }
  }

  private void wake() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(ValueLayout.JAVA_LONG);
      one.set(ValueLayout.JAVA_LONG, 0, 1L);
      DescriptorCalls.write(wakeup.number(), one, Long.BYTES);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EAGAIN)) { // a full counter wakes as well
        throw new IllegalStateException("cannot wake " + thread.getName(), e);
      }
    }
  }

  private void loop() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocate(PollCalls.EVENT_SIZE * BATCH, 8);
      MemorySegment counter = arena.allocate(ValueLayout.JAVA_LONG);
      while (!stopping) {
        try {
          turn(events, counter);
        } catch (ErrnoException e) {
          if (!e.is(Errno.EINTR)) {
            LOG.log(Level.ERROR, thread.getName() + ": wait failed", e);
          }
        } catch (RuntimeException | Error e) {
          LOG.log(Level.ERROR, thread.getName() + ": turn failed", e);
        }
      }
      runTasks();
    }
  }

  private void turn(MemorySegment events, MemorySegment counter) throws ErrnoException {
    int count = PollCalls.epoll_wait(epoll.number(), events, BATCH, timeout());
    for (int i = 0; i < count; i++) {
      long token = PollCalls.data(events, i);
      if (token == WAKEUP_TOKEN) {
        drain(counter);
        continue;
      }
      Registration registration = registrations.get(token);
      if (registration != null) {
        handle(registration, PollCalls.events(events, i));
      }
    }
    runTasks();
    runTimers();
  }

  private void drain(MemorySegment counter) throws ErrnoException {
    try {
      DescriptorCalls.read(wakeup.number(), counter, Long.BYTES);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EAGAIN)) {
        throw e;
      }
    }
  }

  private void handle(Registration registration, int events) {
    try {
      registration.handler.ready(events);
    } catch (IOException | RuntimeException | Error e) {
      LOG.log(Level.ERROR, "handler of " + registration.descriptor + " failed", e);
      penalise(registration);
    }
  }

  private void penalise(Registration registration) {
    try {
      registration.pause(true);
      schedule(
          PENALTY,
          () -> {
            try {
              registration.pause(false);
            } catch (ErrnoException e) {
              LOG.log(Level.ERROR, "cannot watch " + registration.descriptor + " again", e);
            }
          });
    } catch (ErrnoException e) {
      LOG.log(Level.ERROR, "cannot pause " + registration.descriptor, e);
    }
  }

  private void runTasks() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      run(task);
    }
  }

  private void runTimers() {
    long now = System.nanoTime();
    for (Timer next = timers.peek(); next != null && next.due - now <= 0; next = timers.peek()) {
      timers.poll();
      run(next.task);
    }
  }

  private void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, thread.getName() + ": task failed", e);
    }
  }

  private int timeout() {
    Timer next = timers.peek();
    if (next == null) {
      return -1;
    }
    long nanos = next.due - System.nanoTime();
    return nanos <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, nanos / 1_000_000 + 1);
  }

  /**
   * Ends the thread and closes what it still watches. Waits for the handler that is running, which
   * may not block.
   */
  @Override
  public void close() throws InterruptedIOException {
    synchronized (registrations) {
      if (stopping) {
        return;
      }
      stopping = true;
    }
    wake();
    try {
      if (!isCurrentThread()) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while stopping " + thread.getName());
    }
    registrations.values().forEach(Registration::close);
    runTasks();
    wakeup.close();
    epoll.close();
  }
}
