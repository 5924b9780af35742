package io.jcontainerd.runtime.bundle;

import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * All bundles of a daemon. Safe for many threads, as long as one bundle is made or deleted by one
 * at a time.
 */
public final class Bundles {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int TRAVERSABLE = 0711;

  private final Files files;
  private final Kernel kernel;
  private final Path state;
  private final Path root;

  /**
   * Bundles below two folders.
   *
   * @param state lost with a reboot, holds the bundles
   * @param root kept, holds the work folders
   */
  public Bundles(Files files, Kernel kernel, Path state, Path root) {
    this.files = files;
    this.kernel = kernel;
    this.state = state;
    this.root = root;
  }

  /** Where the bundle of that name is or would be. */
  public Bundle at(String namespace, String id) {
    Identifiers.check(namespace);
    Identifiers.check(id);
    return new Bundle(
        namespace, id, state.resolve(namespace).resolve(id), root.resolve(namespace).resolve(id));
  }

  /**
   * Makes a bundle; after a failure nothing is left of it.
   *
   * @param spec the bytes of config.json, which is not written if there are none
   * @param rootGroup the host's group id of the container's root, with a user namespace
   * @throws AlreadyExistsException if there is one of that name
   */
  public Bundle create(
      String namespace, String id, byte[] spec, OptionalInt rootGroup, String sandbox) {
    Bundle bundle = at(namespace, id);
    try {
      files.createDirectories(state.resolve(namespace), TRAVERSABLE);
      files.createDirectories(root.resolve(namespace), TRAVERSABLE);
      files.createDirectory(bundle.path(), 0700);
    } catch (FileAlreadyExistsException e) {
      throw new AlreadyExistsException(bundle.toString(), e);
    } catch (IOException e) {
      throw failure(bundle, e);
    }
    try {
      if (rootGroup.isPresent()) {
        files.setOwner(bundle.path(), -1, rootGroup.getAsInt());
        files.setMode(bundle.path(), 0710);
      }
      files.createDirectory(bundle.rootfs(), TRAVERSABLE);
      if (files.stat(bundle.work()).isPresent()) {
        files.deleteTree(bundle.work());
      }
      files.createDirectory(bundle.work(), TRAVERSABLE);
      files.symlink(bundle.path().resolve("work"), bundle.work().toString());
      if (spec.length > 0) {
        write(bundle, Bundle.CONFIG, spec, 0644);
      }
      if (!sandbox.isEmpty()) {
        write(
            bundle,
            Bundle.SANDBOX,
            sandbox.getBytes(java.nio.charset.StandardCharsets.UTF_8),
            0600);
      }
      return bundle;
    } catch (IOException | RuntimeException e) {
      ContainerdException failure =
          e instanceof ContainerdException known ? known : failure(bundle, e);
      try {
        delete(bundle);
      } catch (ContainerdException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /**
   * Unmounts and removes a bundle and its work folder; nothing happens if they are gone. What is
   * still mounted below the root file system, or is left in it, is never deleted.
   */
  public void delete(Bundle bundle) {
    try {
      if (files.stat(bundle.path()).isPresent()) {
        if (files.stat(bundle.rootfs()).isPresent()) {
          kernel.detachAll(bundle.rootfs());
          deleteIfThere(bundle.rootfs());
        }
        removeTree(bundle.path());
      }
      removeTree(bundle.work());
    } catch (IOException e) {
      throw failure(bundle, e);
    }
  }

  /** Renames first, so that half a deletion is never taken for a bundle. */
  private void removeTree(Path folder) throws IOException {
    if (files.stat(folder).isEmpty()) {
      return;
    }
    Path hidden = folder.resolveSibling("." + folder.getFileName());
    if (files.stat(hidden).isPresent()) {
      files.deleteTree(hidden);
    }
    files.rename(folder, hidden);
    files.deleteTree(hidden);
  }

  private void deleteIfThere(Path path) throws IOException {
    try {
      files.delete(path);
    } catch (NoSuchFileException e) {
      LOG.log(Level.DEBUG, "{0} is gone already", path);
    }
  }

  /** Writes a file of the bundle so that a reader sees the old or the new bytes, never a part. */
  public void write(Bundle bundle, String name, byte[] bytes, int mode) {
    Path file = bundle.path().resolve(name);
    Path beside = bundle.path().resolve("." + name);
    try {
      if (files.stat(beside).isPresent()) {
        files.delete(beside);
      }
      try (Files.Handle handle = files.open(beside, Files.Open.CREATE_NEW, mode)) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        while (from.hasRemaining()) {
          handle.write(from, from.position());
        }
      }
      files.rename(beside, file);
    } catch (IOException e) {
      throw failure(bundle, e);
    }
  }

  /** Makes a folder with a checkpoint part of the bundle. */
  public void takeCheckpoint(Bundle bundle, Path folder) {
    try {
      files.rename(folder, bundle.checkpoint());
    } catch (IOException e) {
      throw failure(bundle, e);
    }
  }

  /** Removes the checkpoint, if there is one: the task has begun. */
  public void deleteCheckpoint(Bundle bundle) {
    try {
      if (files.stat(bundle.checkpoint()).isPresent()) {
        files.deleteTree(bundle.checkpoint());
      }
    } catch (IOException e) { // it goes with the bundle
      LOG.log(Level.WARNING, bundle + ": its checkpoint stays until it is deleted", e);
    }
  }

  /** A small file of the bundle, if it is there. */
  public Optional<byte[]> read(Bundle bundle, String name) {
    Path file = bundle.path().resolve(name);
    try {
      return files.stat(file).isPresent() ? Optional.of(files.readAll(file)) : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure(bundle, e);
    }
  }

  /** A small text of the bundle without the white space around it, if it is there. */
  public Optional<String> readText(Bundle bundle, String name) {
    return read(bundle, name)
        .map(b -> new String(b, java.nio.charset.StandardCharsets.UTF_8).strip());
  }

  /** Whether there is nothing in the bundle. */
  public boolean isEmpty(Bundle bundle) {
    try {
      return files.list(bundle.path()).isEmpty();
    } catch (IOException e) {
      throw failure(bundle, e);
    }
  }

  /** Every bundle on disk; half-deleted ones and foreign names are left out. */
  public List<Bundle> list() {
    List<Bundle> found = new ArrayList<>();
    for (String namespace : folders(state)) {
      for (String id : folders(state.resolve(namespace))) {
        try {
          found.add(at(namespace, id));
        } catch (InvalidArgumentException e) {
          LOG.log(Level.WARNING, "ignoring bundle " + namespace + "/" + id, e);
        }
      }
    }
    return List.copyOf(found);
  }

  /** Removes what an earlier deletion left half done, and work folders without a bundle. */
  public void deleteStrays(Set<Bundle> kept) {
    for (Path top : List.of(state, root)) {
      for (String namespace : folders(top)) {
        Path folder = top.resolve(namespace);
        for (String name : allFolders(folder)) {
          boolean hidden = name.startsWith(".");
          boolean stray =
              top.equals(root)
                  && !hidden
                  && kept.stream().noneMatch(b -> b.work().equals(folder.resolve(name)));
          if (hidden || stray) {
            try {
              files.deleteTree(folder.resolve(name));
            } catch (IOException e) {
              LOG.log(Level.WARNING, "cannot remove " + folder.resolve(name), e);
            }
          }
        }
      }
    }
  }

  private List<String> folders(Path folder) {
    return allFolders(folder).stream().filter(n -> !n.startsWith(".")).toList();
  }

  private List<String> allFolders(Path folder) {
    try {
      if (files.stat(folder).isEmpty()) {
        return List.of();
      }
      List<String> names = new ArrayList<>();
      for (String name : files.list(folder)) {
        if (files.stat(folder.resolve(name)).filter(FileStat::isDirectory).isPresent()) {
          names.add(name);
        }
      }
      return names;
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UnknownException("folder " + folder + ": " + e.getMessage(), e);
    }
  }

  private static ContainerdException failure(Bundle bundle, Exception e) {
    String text = bundle + ": " + e.getMessage();
    return e instanceof NoSpaceException
        ? new ResourceExhaustedException(text, e)
        : new UnknownException(text, e);
  }
}
