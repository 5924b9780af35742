package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.transfer.DiskSpace;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/** Room on this machine's disks. */
final class MachineSpace implements DiskSpace {
  private static final Logger LOG = System.getLogger(MachineSpace.class.getName());

  private final Kernel kernel;
  private final Path content;
  private final Function<String, Optional<Path>> snapshotters;

  /**
   * @param content below which blobs are
   * @param snapshotters the folder of each, where it tells one
   */
  MachineSpace(Kernel kernel, Path content, Function<String, Optional<Path>> snapshotters) {
    this.kernel = kernel;
    this.content = content;
    this.snapshotters = snapshotters;
  }

  @Override
  public Optional<Room> ofContent() {
    return room(content);
  }

  @Override
  public Optional<Room> ofSnapshotter(String name) {
    return snapshotters.apply(name).flatMap(this::room);
  }

  private Optional<Room> room(Path folder) {
    try {
      return Optional.of(
          new Room(
              "device " + Files.getAttribute(folder, "unix:dev"),
              kernel.space(folder).availableBytes()));
    } catch (IOException e) {
      LOG.log(Level.WARNING, "the room in " + folder + " cannot be told", e);
      return Optional.empty();
    }
  }
}
