package io.jcontainerd.crash.states;

import io.jcontainerd.crash.world.AppImage;
import io.jcontainerd.crash.world.Client;
import io.jcontainerd.crash.world.Inspector;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts the daemon's storage on what a crash left, with the production code, and sees whether
 * everything is whole, whether a collection leaves nothing that is not recorded, and whether
 * pulling again heals whatever was lost. For one thread, which has a folder of its own.
 */
final class Verifier {
  private static final Duration LONG_AFTER = Duration.ofHours(50);

  private final Path folder;

  Verifier(Path folder) {
    this.folder = folder;
  }

  /** Returns what is wrong; nothing if all is well. */
  List<String> faults(State state) {
    List<String> faults = new ArrayList<>();
    try {
      state.recorded().store().restore(folder.resolve(World.DATABASE), state.commits());
      run(state, faults);
    } catch (IOException | RuntimeException | Error e) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      faults.add(trace.toString());
    }
    return faults;
  }

  private void run(State state, List<String> faults) throws IOException {
    InMemoryFiles files = state.disk().files();
    InMemoryKernel kernel = new InMemoryKernel(files);
    kernel.bootId(state.boot());
    VirtualTime time = new VirtualTime();
    try (World world = World.open(World.openStore(folder), files, kernel, time)) {
      examine("as it came up", world, state, faults, Inspector::whole);
      examine("promises", world, state, faults, inspector -> inspector.promises(state.told()));
      world.metadata().collector().collect();
      examine("after a collection", world, state, faults, Verifier::wholeAndTidy);
      examine("promises, later", world, state, faults, i -> i.promises(state.told()));
      for (Scenario.Goal goal : state.recorded().scenario().goals()) {
        new Client(world, goal.namespace(), "again-" + goal.image().name(), _ -> {})
            .pull(goal.image(), goal.snapshotter(), Client.Naming.AFTER_UNPACKING);
      }
      examine("pulled again", world, state, faults, Inspector::whole);
      time.advance(LONG_AFTER);
      world.metadata().collector().collect();
      examine(
          "long after",
          world,
          state,
          faults,
          inspector -> {
            wholeAndTidy(inspector);
            inspector.quiet();
            for (Scenario.Goal goal : state.recorded().scenario().goals()) {
              inspector.complete(goal.namespace(), goal.image(), goal.snapshotter());
            }
          });
    }
    if (files.openHandles() != 0) {
      faults.add(files.openHandles() + " files are still open");
    }
  }

  private static void wholeAndTidy(Inspector inspector) throws IOException {
    inspector.whole();
    inspector.tidy();
  }

  /** One look. */
  @FunctionalInterface
  private interface Look {
    void at(Inspector inspector) throws IOException;
  }

  private static void examine(String when, World world, State state, List<String> faults, Look look)
      throws IOException {
    List<AppImage> known =
        state.recorded().scenario().goals().stream().map(Scenario.Goal::image).toList();
    Inspector inspector = new Inspector(world, known);
    look.at(inspector);
    inspector.faults().forEach(fault -> faults.add(when + ": " + fault));
  }
}
