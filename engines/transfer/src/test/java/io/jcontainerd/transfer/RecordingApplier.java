package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Applies nothing, but reads the layer, and remembers how it was asked. */
final class RecordingApplier implements Applier {
  /** One call. */
  record Applied(Digest layer, List<Mount> mounts, boolean isStandalone) {}

  /** Something that happens while a layer is applied. */
  interface Meanwhile {
    void happens(Descriptor layer) throws InterruptedException;
  }

  final List<Applied> applied = new CopyOnWriteArrayList<>();
  final Set<Digest> needParent = ConcurrentHashMap.newKeySet();
  final AtomicInteger most = new AtomicInteger();
  private final AtomicInteger now = new AtomicInteger();
  private final ContentStore content;
  volatile Meanwhile meanwhile = _ -> {};

  /** Whether it takes layers that are on their way. */
  volatile boolean follows;

  volatile Meanwhile whileFollowing = _ -> {};

  /** What a layer on its way is said to be, whatever it is. */
  volatile Optional<Digest> saysWhileFollowing = Optional.empty();

  /** Bytes that were read of layers on their way. */
  final AtomicLong followed = new AtomicLong();

  final AtomicInteger reading = new AtomicInteger();

  RecordingApplier(ContentStore content) {
    this.content = content;
  }

  @Override
  public Descriptor apply(Descriptor layer, List<Mount> mounts, Options options) {
    most.accumulateAndGet(now.incrementAndGet(), Math::max);
    try (ContentReader reader = content.reader(layer.digest())) {
      applied.add(new Applied(layer.digest(), mounts, options.isStandalone()));
      if (options.isStandalone() && needParent.contains(layer.digest())) {
        throw new FailedPreconditionException("layer " + layer.digest() + " needs its parent");
      }
      meanwhile.happens(layer);
      ByteBuffer bytes = ByteBuffer.allocate((int) reader.size());
      int count = reader.read(bytes, 0);
      return new Descriptor(layer.mediaType(), Digest.sha256(bytes.array()), Math.max(0, count));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new io.jcontainerd.core.failure.CancelledException("layer " + layer.digest(), e);
    } finally {
      now.decrementAndGet();
    }
  }

  @Override
  public Descriptor apply(
      Descriptor layer, ContentReader blob, List<Mount> mounts, Options options) {
    if (!follows) {
      return Applier.super.apply(layer, blob, mounts, options);
    }
    reading.incrementAndGet();
    try {
      applied.add(new Applied(layer.digest(), mounts, options.isStandalone()));
      if (options.isStandalone() && needParent.contains(layer.digest())) {
        throw new FailedPreconditionException("layer " + layer.digest() + " needs its parent");
      }
      whileFollowing.happens(layer);
      MessageDigest hash = Digest.hasher("sha256");
      ByteBuffer bytes = ByteBuffer.allocate(64 << 10);
      long position = 0;
      int count = blob.read(bytes, position);
      while (count >= 0) {
        position += count;
        followed.addAndGet(count);
        hash.update(bytes.flip());
        bytes.clear();
        count = blob.read(bytes, position);
      }
      Digest plain = Digest.of("sha256", hash.digest());
      return new Descriptor(layer.mediaType(), saysWhileFollowing.orElse(plain), position);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new io.jcontainerd.core.failure.CancelledException("layer " + layer.digest(), e);
    } finally {
      reading.decrementAndGet();
    }
  }

  long countOf(Descriptor layer) {
    return applied.stream().filter(a -> a.layer().equals(layer.digest())).count();
  }
}
