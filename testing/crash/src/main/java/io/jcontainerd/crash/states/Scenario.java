package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Told;
import io.jcontainerd.crash.world.AppImage;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.testkit.files.Survival;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Something during which the power may fail.
 *
 * @param before what was there already, durably
 * @param cut how the power failed between before and the action, if it did
 * @param action what is recorded, from the daemon's start on
 * @param goals what is pulled after each crash
 */
public record Scenario(
    String name, Part before, Optional<Survival> cut, Part action, List<Goal> goals) {

  /** Nothing was there, not even the folders that a start makes. */
  public static final Part NOTHING = (_, _) -> {};

  /** A part of a scenario. */
  @FunctionalInterface
  public interface Part {
    /** Does it, and says what a client was told. */
    void in(World world, Consumer<Told> told);
  }

  /**
   * An image to be there at the end.
   *
   * @param snapshotter that unpacks it
   */
  public record Goal(String namespace, AppImage image, String snapshotter) {}

  /** Ends a part of a scenario in the middle, as a dead client does. */
  public static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public String toString() {
    return name;
  }
}
