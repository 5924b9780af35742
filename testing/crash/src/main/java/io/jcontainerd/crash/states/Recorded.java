package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Disk;
import io.jcontainerd.crash.disk.Recording;
import io.jcontainerd.crash.disk.RecordingFiles;
import io.jcontainerd.crash.disk.RecordingKernel;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.store.Store;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A scenario that was run once.
 *
 * @param base the disk before it
 * @param entries what happened
 * @param store the database after each transaction of it
 * @param commits how many transactions were durable at its end
 * @param boot the boot of the machine during which it ran
 */
record Recorded(
    Scenario scenario,
    Disk base,
    List<Recording.Entry> entries,
    StoreVersions store,
    int commits,
    String boot) {
  private static final String FIRST_BOOT = "boot-1";
  private static final String SECOND_BOOT = "boot-2";

  /** Runs a scenario in a folder that is its own. */
  static Recorded of(Scenario scenario, Path folder) throws IOException {
    InMemoryFiles files = new InMemoryFiles();
    files = before(scenario, folder, files);
    String boot = scenario.cut().isPresent() ? SECOND_BOOT : FIRST_BOOT;
    Path file = folder.resolve(World.DATABASE);
    byte[] database = Files.readAllBytes(file);
    Disk base = Disk.of(files);
    Recording recording = new Recording();
    Store store = World.openStore(folder);
    LogTail log = new LogTail(StoreVersions.log(file));
    recording.countCommits(log::transactions);
    InMemoryKernel kernel = new InMemoryKernel(files);
    kernel.bootId(boot);
    World world =
        World.open(
            store,
            new RecordingFiles(files, recording),
            new RecordingKernel(kernel, recording),
            new VirtualTime());
    try (log;
        world) {
      scenario.action().in(world, recording::add);
      int commits = log.transactions();
      StoreVersions versions = new StoreVersions(database, file);
      if (versions.transactions() < commits) {
        throw new IOException(
            "%s: the log has %d transactions, and had %d"
                .formatted(scenario, versions.transactions(), commits));
      }
      return new Recorded(scenario, base, recording.entries(), versions, commits, boot);
    }
  }

  private static InMemoryFiles before(Scenario scenario, Path folder, InMemoryFiles files)
      throws IOException {
    if (scenario.before().equals(Scenario.NOTHING)) {
      World.openStore(folder).close();
      return files;
    }
    InMemoryKernel kernel = new InMemoryKernel(files);
    kernel.bootId(FIRST_BOOT);
    World world = World.open(World.openStore(folder), files, kernel, new VirtualTime());
    try (world) {
      scenario.before().in(world, _ -> {});
    } catch (Scenario.Abandoned _) {
      // The client died; so does the daemon.
    }
    if (scenario.cut().isPresent()) {
      return files.afterPowerCut(scenario.cut().get());
    }
    files.forceAll();
    return files;
  }
}
