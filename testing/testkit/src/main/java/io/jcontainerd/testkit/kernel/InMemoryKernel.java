package io.jcontainerd.testkit.kernel;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.testkit.files.InMemoryFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A kernel that remembers what is mounted and mounts nothing. Synchronising forces everything in
 * its in-memory files. Safe for many threads.
 */
public final class InMemoryKernel implements Kernel {
  private final InMemoryFiles files;
  private final List<MountPoint> table = new ArrayList<>();
  private final Map<Path, TreeMap<String, byte[]>> attributes = new TreeMap<>();
  private Predicate<Mount> refused = _ -> false;
  private String bootId = "00000000-0000-0000-0000-000000000001";
  private long magic = 0xef53;
  private int syncs;
  private int failing;
  private final Set<OpenSynchroniser> open = new HashSet<>();

  /** A kernel of these files. */
  public InMemoryKernel(InMemoryFiles files) {
    this.files = files;
  }

  /** From now on, mounts that the test accepts fail with {@code invalid argument}. */
  public synchronized void refuse(Predicate<Mount> test) {
    refused = test;
  }

  /** Tells another boot id from now on. */
  public synchronized void bootId(String id) {
    bootId = id;
  }

  /** Tells another type of file system from now on. */
  public synchronized void magic(long number) {
    magic = number;
  }

  /** How many times a file system was synchronised. */
  public synchronized int syncs() {
    return syncs;
  }

  /** The next so many synchronisations fail with {@code input/output error} and save nothing. */
  public synchronized void failSyncs(int count) {
    failing = count;
  }

  @Override
  public synchronized void mount(List<Mount> mounts, Path target) throws IOException {
    if (files.stat(target).isEmpty()) {
      throw new NoSuchFileException(target.toString());
    }
    for (Mount mount : mounts) {
      if (refused.test(mount)) {
        throw new FileSystemException(target.toString(), null, "invalid argument");
      }
    }
    for (Mount mount : mounts) {
      table.add(
          new MountPoint(
              target.resolve(mount.target()),
              mount.type(),
              mount.source(),
              String.join(",", mount.options())));
    }
  }

  @Override
  public synchronized void unmountAll(Path target) {
    table.removeIf(point -> point.mountPoint().startsWith(target));
  }

  @Override
  public synchronized void detachAll(Path target) {
    unmountAll(target);
  }

  @Override
  public synchronized List<MountPoint> mountTable() {
    return List.copyOf(table);
  }

  @Override
  public synchronized Space space(Path path) {
    return new Space(magic, 1L << 40, 1L << 39, 1L << 20);
  }

  /** Something was lost: every synchroniser that is open now tells it once, later ones do not. */
  public synchronized void loseWrites() {
    open.forEach(synchroniser -> synchroniser.lossUntold = true);
  }

  /** How many synchronisers are open. */
  public synchronized int openSynchronisers() {
    return open.size();
  }

  @Override
  public synchronized Synchroniser synchroniser(Path path) {
    var opened = new OpenSynchroniser(path);
    open.add(opened);
    return opened;
  }

  private final class OpenSynchroniser implements Synchroniser {
    private final Path path;
    private boolean lossUntold;

    OpenSynchroniser(Path path) {
      this.path = path;
    }

    @Override
    public void synchronise() throws IOException {
      synchronized (InMemoryKernel.this) {
        if (!open.contains(this)) {
          throw new FileSystemException(path.toString(), null, "bad file descriptor");
        }
        syncs++;
        if (failing > 0 || lossUntold) {
          failing = Math.max(0, failing - 1);
          lossUntold = false;
          throw new FileSystemException(path.toString(), null, "input/output error");
        }
        files.forceAll();
      }
    }

    @Override
    public void close() {
      synchronized (InMemoryKernel.this) {
        open.remove(this);
      }
    }
  }

  @Override
  public synchronized List<String> extendedAttributes(Path path) {
    return List.copyOf(attributes.getOrDefault(path, new TreeMap<>()).keySet());
  }

  @Override
  public synchronized Optional<byte[]> extendedAttribute(Path path, String name) {
    return Optional.ofNullable(attributes.getOrDefault(path, new TreeMap<>()).get(name));
  }

  @Override
  public synchronized void setExtendedAttribute(Path path, String name, byte @Nullable [] value)
      throws IOException {
    if (files.stat(path).isEmpty()) {
      throw new NoSuchFileException(path.toString());
    }
    var all = attributes.computeIfAbsent(path, _ -> new TreeMap<>());
    if (value == null) {
      all.remove(name);
    } else {
      all.put(name, value.clone());
    }
  }

  @Override
  public synchronized String bootId() {
    return bootId;
  }
}
