package io.jcontainerd.daemon;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The folder of everything that a reboot clears, held by one daemon at a time: two would take each
 * other's tasks for leftovers.
 *
 * <p>Tasks in a folder that no daemon of ours has held belong to a containerd, which may be stopped
 * while they run. Such a folder is never written to.
 */
final class StateFolder implements AutoCloseable {
  private static final Path TASKS = Path.of("io.containerd.runtime.v2.task");

  private final Path path;
  private final FileChannel lock;

  private StateFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes the folder (0711) if need be, and takes it.
   *
   * @throws FailedPreconditionException if another daemon, ours or containerd, has it
   */
  static StateFolder take(Path path) throws IOException {
    if (!Folders.wasHeld(path) && hasTasks(path.resolve(TASKS))) {
      throw new FailedPreconditionException(
          "state "
              + path
              + " belongs to containerd: it holds tasks in "
              + TASKS
              + " that no jcontainerd made; nothing was changed: end them or choose another"
              + " --state");
    }
    Folders.own(path, "rwx--x--x");
    return new StateFolder(path, Folders.hold(path, "state"));
  }

  private static boolean hasTasks(Path tasks) throws IOException {
    if (!Files.isDirectory(tasks)) {
      return false;
    }
    try (Stream<Path> found = Files.walk(tasks, 2)) {
      return found.anyMatch(entry -> tasks.relativize(entry).getNameCount() == 2);
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
