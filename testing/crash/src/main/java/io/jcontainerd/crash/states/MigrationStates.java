package io.jcontainerd.crash.states;

import io.jcontainerd.crash.world.Client;
import io.jcontainerd.crash.world.Inspector;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.store.Schema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The store of an earlier version is brought up to date, and the power fails meanwhile: the log may
 * end at every sector, and lack every sector. After each, the daemon must come up, know what it
 * knew, and work.
 */
public final class MigrationStates {
  private static final int SECTOR = 512;
  private static final String KNOWN = "known-before";

  private final Path scratch;
  private int states;
  private int failed;
  private final List<String> faults = new ArrayList<>();

  /**
   * @param scratch for databases; best on a file system in memory
   */
  public MigrationStates(Path scratch) {
    this.scratch = scratch;
  }

  /** Verifies every state of every migration. */
  public CrashStates.Result run() throws IOException {
    List<String> lines = new ArrayList<>();
    int number = 0;
    for (List<Schema> old : earlier()) {
      Path folder = Files.createDirectories(scratch.resolve("migration-" + number++));
      int before = states;
      migrate(old, folder);
      String from = old.stream().map(s -> s.room() + " " + s.steps().size()).toList().toString();
      lines.add("%-84s %6d states".formatted("bring the store up from " + from, states - before));
    }
    return new CrashStates.Result(states, failed, lines, faults);
  }

  /** What earlier versions had: each room as it was before its last step, and at its first. */
  private static List<List<Schema>> earlier() {
    List<Schema> first = World.SCHEMAS.stream().map(schema -> cut(schema, 1)).toList();
    List<Schema> last =
        World.SCHEMAS.stream()
            .map(schema -> cut(schema, Math.max(1, schema.steps().size() - 1)))
            .toList();
    return first.equals(last) ? List.of(List.of(), first) : List.of(List.of(), first, last);
  }

  private static Schema cut(Schema schema, int steps) {
    return new Schema(schema.room(), schema.steps().subList(0, steps));
  }

  private void migrate(List<Schema> old, Path folder) throws IOException {
    Path file = folder.resolve(World.DATABASE);
    try (Store store = Store.open(file, StoreOptions.DEFAULTS, old)) {
      if (!old.isEmpty()) {
        store.change(tx -> tx.update("INSERT INTO namespaces VALUES (?, '')", KNOWN));
      }
    }
    byte[] database = Files.readAllBytes(file);
    StoreVersions versions;
    try (Store _ = World.openStore(folder)) {
      versions = new StoreVersions(database, file);
    }
    byte[] log = versions.log();
    for (int end = 0; end <= log.length; end += SECTOR) {
      verify(old, folder, versions, log, end, "log ends at " + end);
      byte[] torn = log.clone();
      Arrays.fill(torn, end, Math.min(torn.length, end + SECTOR), (byte) 0);
      verify(old, folder, versions, torn, torn.length, "log lacks the sector at " + end);
    }
    verify(old, folder, versions, log, log.length, "log is whole");
  }

  private void verify(
      List<Schema> old, Path folder, StoreVersions versions, byte[] log, int length, String how) {
    states++;
    try {
      versions.restore(folder.resolve(World.DATABASE), log, length);
      List<String> found = verify(old, folder);
      if (!found.isEmpty()) {
        fail(how + ": " + found);
      }
    } catch (IOException | RuntimeException | Error e) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      fail(how + ": " + trace);
    }
  }

  private void fail(String fault) {
    failed++;
    faults.add(fault);
  }

  private static List<String> verify(List<Schema> old, Path folder) throws IOException {
    InMemoryFiles files = new InMemoryFiles();
    InMemoryKernel kernel = new InMemoryKernel(files);
    try (World world = World.open(World.openStore(folder), files, kernel, new VirtualTime())) {
      Scenario.Goal goal = new Scenario.Goal("ns", Scenarios.SMALL, "overlayfs");
      new Client(world, goal.namespace(), "migrated", _ -> {})
          .pull(goal.image(), goal.snapshotter(), Client.Naming.AFTER_UNPACKING);
      Inspector inspector = new Inspector(world, Scenarios.IMAGES);
      world.metadata().collector().collect();
      inspector.whole();
      inspector.tidy();
      inspector.complete(goal.namespace(), goal.image(), goal.snapshotter());
      List<String> faults = new ArrayList<>(inspector.faults());
      if (!old.isEmpty()
          && world.metadata().namespaces().list().stream()
              .noneMatch(namespace -> namespace.name().equals(KNOWN))) {
        faults.add("a namespace was lost");
      }
      return faults;
    }
  }
}
