package io.jcontainerd.runtime.shim;

import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.runtime.bundle.Bundle;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tasks on their way to hosts that leave with their last task. By two files in a host's folder,
 * which are described with the shim host, both agree: {@code coming/NAMESPACE.ID} is written before
 * {@code serving} is looked for, and a host that wants to leave removes {@code serving} before it
 * looks who is coming. So at least one of them sees the other. Safe for many threads.
 */
final class ComingTasks {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  private final Processes processes;
  private final Map<Bundle, Path> coming = new ConcurrentHashMap<>();

  ComingTasks(Processes processes) {
    this.processes = processes;
  }

  /**
   * Tells the host of a folder that the bundle's task will come, also one that is not there yet.
   */
  void announce(Bundle bundle, Path folder) throws IOException {
    Path file = folder.resolve("coming").resolve(bundle.namespace() + "." + bundle.id());
    coming.put(bundle, file);
    for (int attempt = 0; ; attempt++) {
      Files.createDirectories(file.resolveSibling("."));
      try {
        Files.write(file, new byte[0]);
        return;
      } catch (NoSuchFileException e) { // a host that leaves takes its folder with it
        if (attempt == 3) {
          throw e;
        }
      }
    }
  }

  /** Whether the host of the folder serves, and so has seen what was announced before. */
  boolean isServed(Path folder) throws IOException {
    String[] words;
    try {
      words = Files.readString(folder.resolve("serving")).strip().split(" ", 3);
    } catch (NoSuchFileException e) {
      return false;
    }
    try {
      return words.length == 3
          && processes
              .startTime(Integer.parseInt(words[0]))
              .equals(Optional.of(Long.valueOf(words[1])));
    } catch (NumberFormatException e) {
      throw new IOException("serving in " + folder + " is damaged", e);
    }
  }

  /** Whether it is still announced: its host may have gone, and taken that with it. */
  boolean isAnnounced(Bundle bundle) {
    Path file = coming.get(bundle);
    return file != null && Files.exists(file);
  }

  /** It is there, or does not come. */
  void settled(Bundle bundle) {
    Path file = coming.remove(bundle);
    if (file == null) {
      return;
    }
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) { // the host does not wait for it for long
      LOG.log(Level.WARNING, "announcement of " + bundle, e);
    }
  }
}
