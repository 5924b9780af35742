package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registries;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/** A registry in memory that misbehaves as told, and remembers what it was asked. */
final class ScriptedRegistry implements Registries {
  /** Changes what a request for bytes gets. */
  @FunctionalInterface
  interface Script {
    /** The stream in place of the right one, which begins at the offset. */
    InputStream answer(InputStream right, long offset) throws IOException;
  }

  final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
  final Map<String, Descriptor> names = new ConcurrentHashMap<>();
  final List<String> asked = new CopyOnWriteArrayList<>();
  final Map<Digest, Script> scripts = new ConcurrentHashMap<>();
  final List<Descriptor> pushed = new CopyOnWriteArrayList<>();
  final List<String> pushedAs = new CopyOnWriteArrayList<>();
  final AtomicInteger open = new AtomicInteger();
  final AtomicInteger sessions = new AtomicInteger();
  volatile boolean givesParts;
  volatile boolean wantsPassword;

  /** An image's parts. */
  record Made(Descriptor at, Manifest manifest) {}

  Descriptor add(String type, byte[] bytes) {
    Descriptor descriptor = Descriptors.of(type, bytes);
    blobs.put(descriptor.digest(), bytes);
    return descriptor;
  }

  static byte[] bytes(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  Made image(String os, String architecture, int... layers) {
    List<Descriptor> all = new ArrayList<>();
    for (int i = 0; i < layers.length; i++) {
      all.add(add(MediaTypes.LAYER, bytes(layers[i] + i, layers[i])));
    }
    return image(os, architecture, all);
  }

  Made image(String os, String architecture, List<Descriptor> layers) {
    JsonObject rootfs =
        JsonObject.EMPTY
            .with("type", "layers")
            .with(
                "diff_ids",
                JsonArray.ofStrings(layers.stream().map(l -> l.digest().toString()).toList()));
    ImageConfig config =
        new ImageConfig(
            JsonObject.EMPTY
                .with("os", os)
                .with("architecture", architecture)
                .with("rootfs", rootfs));
    Manifest manifest = new Manifest(add(MediaTypes.CONFIG, config.toBytes()), layers);
    return new Made(add(MediaTypes.MANIFEST, manifest.toBytes()), manifest);
  }

  Descriptor index(Index.Entry... entries) {
    return add(MediaTypes.INDEX, new Index(List.of(entries)).toBytes());
  }

  long countOf(Descriptor blob) {
    return asked.stream().filter(a -> a.contains(blob.digest().toString())).count();
  }

  @Override
  public Registry open(RegistryAccess access) {
    sessions.incrementAndGet();
    boolean known = !access.headers().isEmpty();
    return new Connection(known);
  }

  private final class Connection implements Registry {
    private final boolean known;
    private boolean closed;

    Connection(boolean known) {
      this.known = known;
    }

    private void check() {
      if (closed) {
        throw new UnavailableException("registry was closed");
      }
    }

    @Override
    public Descriptor resolve(String reference) {
      check();
      Descriptor descriptor = names.get(reference);
      if (descriptor == null) {
        throw new NotFoundException("image " + reference);
      }
      return descriptor;
    }

    @Override
    public InputStream fetch(String reference, Descriptor descriptor, long offset) {
      asked.add(descriptor.digest() + " from " + offset);
      return stream(descriptor, offset, descriptor.size());
    }

    @Override
    public Optional<InputStream> fetchPart(
        String reference, Descriptor descriptor, long offset, long length) {
      asked.add(descriptor.digest() + " part " + offset + "+" + length);
      return givesParts
          ? Optional.of(stream(descriptor, offset, offset + length))
          : Optional.empty();
    }

    private InputStream stream(Descriptor descriptor, long offset, long until) {
      check();
      if (wantsPassword && !known) {
        throw new UnauthenticatedException("who are you?");
      }
      byte[] all = blobs.get(descriptor.digest());
      if (all == null) {
        throw new NotFoundException("content " + descriptor.digest());
      }
      InputStream right =
          new ByteArrayInputStream(Arrays.copyOfRange(all, (int) offset, (int) until));
      Script script = scripts.get(descriptor.digest());
      open.incrementAndGet();
      try {
        InputStream in = script == null ? right : script.answer(right, offset);
        return new Counted(in);
      } catch (IOException e) {
        open.decrementAndGet();
        throw new UnavailableException(String.valueOf(e.getMessage()), e);
      }
    }

    @Override
    public boolean push(String reference, Descriptor descriptor, Source source) {
      check();
      if (blobs.containsKey(descriptor.digest())) {
        return false;
      }
      byte[] bytes = read(source);
      try {
        assertDigest(descriptor, bytes);
      } catch (IOException e) {
        throw new UnavailableException(String.valueOf(e.getMessage()), e);
      }
      blobs.put(descriptor.digest(), bytes);
      pushed.add(descriptor);
      pushedAs.add(reference);
      names.put(reference, descriptor);
      return true;
    }

    /** On another thread, as real ones do. */
    private static byte[] read(Source source) {
      var reading =
          new FutureTask<>(
              () -> {
                try (InputStream in = source.open()) {
                  return in.readAllBytes();
                }
              });
      Thread.ofVirtual().start(reading);
      try {
        return reading.get();
      } catch (ExecutionException e) {
        throw new UnavailableException(String.valueOf(e.getCause()), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("push", e);
      }
    }

    @Override
    public List<String> tags(String reference) {
      return List.of();
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        sessions.decrementAndGet();
      }
    }
  }

  private static void assertDigest(Descriptor descriptor, byte[] bytes) throws IOException {
    if (!Digest.sha256(bytes).equals(descriptor.digest())) {
      throw new IOException("damaged on the way");
    }
  }

  private final class Counted extends InputStream {
    private final InputStream in;
    private boolean closed;

    Counted(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      return in.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      return in.read(into, offset, length);
    }

    @Override
    public synchronized void close() throws IOException {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
        in.close();
      }
    }
  }

  /** Gives so many bytes and then nothing, until interrupted. */
  static final class Hanging extends InputStream {
    private final InputStream in;
    private final CountDownLatch never = new CountDownLatch(1);
    private final CountDownLatch hangs;
    private int left;

    Hanging(InputStream in, int left, CountDownLatch hangs) {
      this.in = in;
      this.left = left;
      this.hangs = hangs;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0) {
        hangs.countDown();
        try {
          never.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted");
        }
      }
      int count = in.read(into, offset, Math.min(left, length));
      left -= Math.max(0, count);
      return count;
    }
  }

  /** Waits for a signal before the first byte. */
  static final class Gated extends InputStream {
    private final InputStream in;
    private final CountDownLatch gate;
    private final CountDownLatch arrived;

    Gated(InputStream in, CountDownLatch arrived, CountDownLatch gate) {
      this.in = in;
      this.arrived = arrived;
      this.gate = gate;
    }

    @Override
    public int read() throws IOException {
      pass();
      return in.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      pass();
      return in.read(into, offset, length);
    }

    private void pass() throws IOException {
      arrived.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
  }
}
