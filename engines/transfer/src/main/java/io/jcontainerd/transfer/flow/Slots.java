package io.jcontainerd.transfer.flow;

import java.util.Optional;
import java.util.PriorityQueue;

/**
 * A number of places for those who work at the same time. Whoever has the smaller number gets the
 * next one; of equals, whoever came first. How long one waits is for those to say who work: they
 * end, or fail when nothing moves. Safe for many threads.
 */
public final class Slots {
  private record Waiting(long priority, long arrival) implements Comparable<Waiting> {
    @Override
    public int compareTo(Waiting other) {
      int byPriority = Long.compare(priority, other.priority);
      return byPriority != 0 ? byPriority : Long.compare(arrival, other.arrival);
    }
  }

  private final int places;
  private final PriorityQueue<Waiting> queue = new PriorityQueue<>();
  private long arrivals;
  private int taken;

  /** This many places; 0 for no limit. */
  public Slots(int places) {
    this.places = places == 0 ? Integer.MAX_VALUE : places;
  }

  /** A place, until it is closed. */
  public interface Slot extends AutoCloseable {
    @Override
    void close();
  }

  /** Waits for a place. */
  public synchronized Slot take(long priority) throws InterruptedException {
    Waiting self = new Waiting(priority, arrivals++);
    queue.add(self);
    try {
      while (taken >= places || !self.equals(queue.peek())) {
        wait();
      }
      taken++;
      return new Taken();
    } finally {
      queue.remove(self);
      notifyAll();
    }
  }

  /** A place, if there is one for which nobody waits. */
  public synchronized Optional<Slot> tryTake() {
    if (taken >= places || !queue.isEmpty()) {
      return Optional.empty();
    }
    taken++;
    return Optional.of(new Taken());
  }

  private synchronized void free() {
    taken--;
    notifyAll();
  }

  private final class Taken implements Slot {
    private boolean closed;

    @Override
    public void close() {
      synchronized (Slots.this) {
        if (closed) {
          return;
        }
        closed = true;
      }
      free();
    }
  }
}
