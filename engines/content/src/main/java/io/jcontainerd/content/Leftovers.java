package io.jcontainerd.content;

import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Removes ingest folders. A folder is first renamed, which makes the ingest gone at once and whole;
 * what cannot be deleted then is tried again with every later removal and clean-up, and when the
 * store is opened. Safe for many threads.
 */
final class Leftovers {
  static final String REMOVED = ".rm-";

  private static final Logger LOG = System.getLogger(Leftovers.class.getName());

  private final Files files;
  private final Set<Path> pending = ConcurrentHashMap.newKeySet();
  private final AtomicLong number = new AtomicLong();

  Leftovers(Files files) {
    this.files = files;
  }

  /**
   * Makes the folder gone.
   *
   * @throws NoSuchFileException if there is none
   */
  void bury(Path folder) throws IOException {
    Path grave;
    do {
      grave =
          folder.resolveSibling(REMOVED + folder.getFileName() + "-" + number.incrementAndGet());
    } while (files.stat(grave).isPresent());
    files.rename(folder, grave);
    pending.add(grave);
    sweep();
  }

  /**
   * As {@link #bury}, for a folder that is no ingest any more since its bytes are elsewhere. If it
   * cannot be removed now, that happens when its ref is used again or the store is opened.
   */
  void discard(Path folder) {
    try {
      bury(folder);
    } catch (NoSuchFileException _) {
      // Somebody aborted the ingest at the same time.
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot remove " + folder + " now, it will be tried again", e);
    }
  }

  /** Tries again what could not be deleted. */
  void sweep() {
    for (Path path : List.copyOf(pending)) {
      if (!pending.remove(path)) {
        continue;
      }
      try {
        if (files.stat(path).isPresent()) {
          files.deleteTree(path);
        }
      } catch (IOException e) {
        LOG.log(Level.WARNING, "cannot delete " + path + " now, it will be tried again", e);
        pending.add(path);
      }
    }
  }
}
