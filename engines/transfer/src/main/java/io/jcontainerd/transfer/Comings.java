package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.UnavailableException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How far blobs are that are on their way, each in the namespace whose ingest it comes into. Safe
 * for many threads.
 */
final class Comings {
  private record Key(String namespace, Digest digest) {}

  private final Map<Key, Coming> coming = new ConcurrentHashMap<>();

  /** The blob begins to come, in the call's namespace, after what is there already. */
  Coming begin(Descriptor blob, long offset) {
    Coming begun = new Coming(new Key(Call.currentNamespace(), blob.digest()), offset);
    coming.put(begun.key, begun);
    return begun;
  }

  /** The blob, if it comes into an ingest of the call's namespace. */
  Optional<Coming> find(Descriptor blob) {
    return Optional.ofNullable(coming.get(new Key(Call.currentNamespace(), blob.digest())));
  }

  /** A blob on its way; it has ended, well or not, when this is closed. */
  final class Coming implements AutoCloseable {
    private final Key key;
    private long reached;
    private boolean ended;
    private boolean inTheWay;

    private Coming(Key key, long offset) {
      this.key = key;
      this.reached = offset;
    }

    /** There are so many bytes now. */
    synchronized void reached(long bytes) {
      reached = bytes;
      notifyAll();
    }

    /** The disk is full: what came is only in the way, unless all of it comes. */
    synchronized void diskIsFull() {
      inTheWay = true;
    }

    /** Whether what came is not to be kept for another try. */
    synchronized boolean isInTheWay() {
      return inTheWay;
    }

    /** How many bytes there are. */
    synchronized long reached() {
      return reached;
    }

    /**
     * Waits for bytes. How long that may take is for who fetches them to say, and then it ends.
     *
     * @return how many there are, at least so many
     * @throws UnavailableException if the download ended before
     */
    synchronized long await(long bytes) throws InterruptedException {
      while (reached < bytes) {
        if (ended) {
          throw new UnavailableException(
              "content %s ended at %d bytes".formatted(key.digest(), reached));
        }
        wait();
      }
      return reached;
    }

    @Override
    public void close() {
      synchronized (this) {
        ended = true;
        notifyAll();
      }
      coming.remove(key, this);
    }
  }
}
