package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Disk.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Ways in which changes that were not forced may survive: for each of them, how much of it. All
 * ways if there are few; otherwise those in which nothing, all, or all of a kind survives, those in
 * which one change differs from the others, those in which the order was kept up to some point, and
 * as many random ones as asked for.
 */
final class Choices {
  private static final int FEW = 64;

  private final List<Part[]> parts;

  /**
   * @param parts what may be left of each change; the first is nothing, the second all
   */
  Choices(List<Part[]> parts) {
    this.parts = parts;
  }

  private boolean few() {
    long all = 1;
    for (Part[] each : parts) {
      all *= each.length;
      if (all > FEW) {
        return false;
      }
    }
    return true;
  }

  /** The ways that follow a rule. */
  void systematic(Consumer<Part[]> each) {
    if (few()) {
      every(new Part[parts.size()], 0, each);
      return;
    }
    for (Part fill : Part.values()) {
      each.accept(filled(fill));
    }
    for (int i = 0; i < parts.size(); i++) {
      for (Part part : parts.get(i)) {
        Part[] lone = filled(Part.NONE);
        lone[i] = part;
        each.accept(lone);
        Part[] missing = filled(Part.WHOLE);
        missing[i] = part;
        each.accept(missing);
      }
      Part[] prefix = filled(Part.WHOLE);
      Arrays.fill(prefix, i, prefix.length, Part.NONE);
      each.accept(prefix);
      Part[] suffix = filled(Part.NONE);
      Arrays.fill(suffix, i, suffix.length, Part.WHOLE);
      each.accept(suffix);
    }
  }

  private void every(Part[] chosen, int from, Consumer<Part[]> each) {
    if (from == chosen.length) {
      each.accept(chosen.clone());
      return;
    }
    for (Part part : parts.get(from)) {
      chosen[from] = part;
      every(chosen, from + 1, each);
    }
  }

  /** Every change as the part says; those of which there is no such part survive whole. */
  private Part[] filled(Part part) {
    Part[] chosen = new Part[parts.size()];
    for (int i = 0; i < chosen.length; i++) {
      chosen[i] = Arrays.asList(parts.get(i)).contains(part) ? part : Part.WHOLE;
    }
    return chosen;
  }

  /** A way by chance; none if the systematic ones were all. */
  List<Part[]> random(Random random, int count) {
    List<Part[]> found = new ArrayList<>();
    if (few()) {
      return found;
    }
    for (int n = 0; n < count; n++) {
      int lost = random.nextInt(1, 10); // of ten
      Part[] chosen = new Part[parts.size()];
      for (int i = 0; i < chosen.length; i++) {
        Part[] possible = parts.get(i);
        boolean damaged = random.nextInt(10) < lost;
        chosen[i] = damaged ? possible[random.nextInt(possible.length)] : Part.WHOLE;
      }
      found.add(chosen);
    }
    return found;
  }
}
