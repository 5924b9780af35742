package io.jcontainerd.core.operation;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The operations of this process. Whoever works begins one, tells its stages and closes it; the
 * last that have ended are kept for a while, for those who ask a moment too late.
 *
 * <p>Nothing of it waits while it holds anything: {@link #begin} and {@link RunningOperation#stage}
 * are a few writes to memory. Only those who look wait, for what they ask others.
 */
public final class OperationRegistry implements Operations {
  private static final System.Logger LOG = System.getLogger(OperationRegistry.class.getName());
  private static final int MOST_ENDED = 256;
  private static final int MOST_WAITING = 4096;
  private static final Duration LOOK = Duration.ofMillis(700);

  private final Time time;
  private final String prefix;
  private final AtomicLong count = new AtomicLong();
  private final Map<String, RunningOperation> running = new ConcurrentHashMap<>();
  private final Deque<RunningOperation> ended = new ArrayDeque<>(); // guarded by itself
  private final List<Changes> watches = new CopyOnWriteArrayList<>();

  /** A registry by the machine's clock. */
  public OperationRegistry() {
    this(Time.SYSTEM);
  }

  /** A registry without operations. */
  public OperationRegistry(Time time) {
    this.time = time;
    // seconds, in few letters: names of an earlier process are not taken for one of this
    this.prefix = Long.toString(time.now().getEpochSecond() & 0xfffff, Character.MAX_RADIX) + "-";
  }

  Time time() {
    return time;
  }

  /**
   * Something begins, for whoever called.
   *
   * @param kind what is done
   * @param namespace where; empty for what belongs to the machine
   * @param key to what
   */
  public RunningOperation begin(String kind, String namespace, String key) {
    long number = count.incrementAndGet();
    var operation = new RunningOperation(this, number, prefix + number, kind, namespace, key);
    running.put(operation.id(), operation);
    changed(Change.BEGUN, operation);
    return operation;
  }

  void changed(Change change, RunningOperation operation) {
    if (!watches.isEmpty()) {
      Changed told = new Changed(change, operation.now());
      watches.forEach(watch -> watch.offer(told));
    }
  }

  void ended(RunningOperation operation) {
    synchronized (ended) {
      ended.addLast(operation);
      if (ended.size() > MOST_ENDED) {
        ended.removeFirst();
      }
    }
    running.remove(operation.id()); // last: at any time it is among those or these
    changed(Change.ENDED, operation);
  }

  @Override
  public List<Operation> list(List<String> filters, boolean closely) {
    Filter filter = Operations.filter(filters);
    List<RunningOperation> asked =
        running.values().stream()
            .filter(operation -> filter.matches(operation.now()))
            .sorted(Comparator.comparingLong(RunningOperation::number))
            .toList();
    List<Operation> shown =
        closely ? closely(asked) : asked.stream().map(RunningOperation::now).toList();
    return shown.stream().filter(operation -> operation.outcome().isEmpty()).toList();
  }

  /** All at the same time, and those that do not tell in time as they are known here. */
  private static List<Operation> closely(List<RunningOperation> asked) {
    List<Operation> shown = new ArrayList<>();
    var glance = new Glance();
    var threads = Executors.newVirtualThreadPerTaskExecutor();
    try {
      List<Future<Operation>> looks =
          asked.stream().map(operation -> threads.submit(() -> operation.closely(glance))).toList();
      long deadline = System.nanoTime() + LOOK.toNanos();
      for (int i = 0; i < looks.size(); i++) {
        shown.add(
            seen(looks.get(i), Math.max(0, deadline - System.nanoTime()))
                .orElse(asked.get(i).now()));
      }
    } finally {
      threads.shutdownNow(); // does not wait for one that is stuck itself
    }
    return shown;
  }

  private static Optional<Operation> seen(Future<Operation> look, long nanos) {
    try {
      return Optional.of(look.get(nanos, TimeUnit.NANOSECONDS));
    } catch (java.util.concurrent.TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      LOG.log(System.Logger.Level.WARNING, "an operation cannot be looked at closely", e);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private Optional<RunningOperation> find(String id) {
    RunningOperation found = running.get(id);
    if (found != null) {
      return Optional.of(found);
    }
    synchronized (ended) {
      return ended.stream().filter(operation -> operation.id().equals(id)).findFirst();
    }
  }

  private static NotFoundException unknown(String id) {
    return new NotFoundException("operation " + id);
  }

  @Override
  public Operation get(String id, boolean closely) {
    RunningOperation found = find(id).orElseThrow(() -> unknown(id));
    return closely ? closely(List.of(found)).getFirst() : found.now();
  }

  @Override
  public void cancel(String id) {
    RunningOperation found = running.get(id);
    if (found == null) {
      throw unknown(id);
    }
    if (!found.cancel()) {
      if (found.isOver()) {
        throw unknown(id);
      }
      throw new FailedPreconditionException("operation " + id + " cannot be cancelled");
    }
  }

  @Override
  public Operation join(String id, Duration limit) throws InterruptedException {
    RunningOperation found = find(id).orElseThrow(() -> unknown(id));
    found.await(limit);
    return found.now();
  }

  @Override
  public Watch watch(List<String> filters) {
    var changes = new Changes(Operations.filter(filters));
    synchronized (changes) { // what changes meanwhile is told after
      watches.add(changes);
      running.values().stream()
          .sorted(Comparator.comparingLong(RunningOperation::number))
          .map(RunningOperation::now)
          .filter(operation -> operation.outcome().isEmpty())
          .forEach(operation -> changes.offer(new Changed(Change.BEGUN, operation)));
    }
    return changes;
  }

  /** What a watcher has not taken yet. */
  private final class Changes implements Watch {
    private final Filter filter;
    private final LinkedBlockingQueue<Changed> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
    private volatile boolean missed;

    Changes(Filter filter) {
      this.filter = filter;
    }

    synchronized void offer(Changed change) {
      if (filter.matches(change.operation()) && !waiting.offer(change)) {
        missed = true;
      }
    }

    @Override
    public Optional<Changed> next(Duration timeout) throws InterruptedException {
      if (missed) {
        throw new OutOfRangeException("changes of operations were missed, for they were not taken");
      }
      return Optional.ofNullable(waiting.poll(timeout.toNanos(), TimeUnit.NANOSECONDS));
    }

    @Override
    public void close() {
      watches.remove(this);
    }
  }
}
