package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Disk;
import io.jcontainerd.crash.disk.Op;
import io.jcontainerd.crash.disk.Pending;
import io.jcontainerd.crash.disk.Recording;
import io.jcontainerd.crash.disk.Told;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;

/**
 * Every point of a recorded scenario at which it may be cut, and the states that each may leave.
 *
 * <p>The model: a transaction of the store that returned is durable. Of the changes of files before
 * the point, those that were forced are durable; each of the others may have survived or not,
 * whatever became of those before and after it, and whatever transactions came after it. A write
 * may be torn at every {@value #SECTOR} bytes, or leave its size without its bytes. A new name
 * moves atomically, but the old one may still be there too if the two are in different folders. If
 * only the process dies, everything is as it was.
 */
final class Enumeration {
  static final int SECTOR = 512;

  private static final String NEXT_BOOT = "boot-3";

  private final Recorded recorded;

  Enumeration(Recorded recorded) {
    this.recorded = recorded;
  }

  /**
   * Shows the states of every point.
   *
   * @param random how many of each point are made by chance; 0 for those that follow a rule
   * @param seed of the chance
   * @param more takes a state and says whether to go on
   */
  void each(int random, long seed, Predicate<State> more) {
    Pending pending = new Pending(recorded.base().copy());
    List<Told> told = new ArrayList<>();
    List<Recording.Entry> entries = recorded.entries();
    Random chance = new Random(seed * 31 + recorded.scenario().name().hashCode());
    int commits = 0;
    for (int i = 0; i <= entries.size(); i++) {
      int until =
          i == entries.size() ? recorded.commits() : Math.toIntExact(entries.get(i).commits());
      for (; commits <= until; commits++) {
        if (!point(i, commits, pending, List.copyOf(told), random, chance, more)) {
          return;
        }
      }
      commits = until;
      if (i < entries.size()) {
        switch (entries.get(i).step()) {
          case Op op -> pending.pass(op);
          case Told one -> told.add(one);
        }
      }
    }
  }

  private boolean point(
      int step,
      int commits,
      Pending pending,
      List<Told> told,
      int random,
      Random chance,
      Predicate<State> more) {
    List<Op> ops = pending.ops();
    Choices choices = new Choices(ops.stream().map(Disk::parts).toList());
    List<Disk.Part[]> chosen = new ArrayList<>();
    if (random == 0) {
      choices.systematic(chosen::add);
      Disk.Part[] all = new Disk.Part[ops.size()];
      Arrays.fill(all, Disk.Part.WHOLE);
      if (!more.test(state(step, commits, pending, ops, all, told, recorded.boot()))) {
        return false;
      }
    } else {
      chosen.addAll(choices.random(chance, random));
    }
    for (Disk.Part[] parts : chosen) {
      if (!more.test(state(step, commits, pending, ops, parts, told, NEXT_BOOT))) {
        return false;
      }
    }
    return true;
  }

  private State state(
      int step,
      int commits,
      Pending pending,
      List<Op> ops,
      Disk.Part[] parts,
      List<Told> told,
      String boot) {
    Disk disk = pending.durable().copy();
    for (int i = 0; i < parts.length; i++) {
      disk.apply(ops.get(i), parts[i]);
    }
    return new State(
        recorded, commits, disk, boot, told, () -> how(step, commits, ops, parts, boot));
  }

  private String how(int step, int commits, List<Op> ops, Disk.Part[] parts, String boot) {
    StringBuilder lost = new StringBuilder();
    for (int i = 0; i < parts.length; i++) {
      if (parts[i] != Disk.Part.WHOLE) {
        lost.append("\n    ").append(parts[i]).append(" of ").append(ops.get(i));
      }
    }
    return "%s, step %d of %d, store after %d of %d, %s%s%s"
        .formatted(
            recorded.scenario(),
            step,
            recorded.entries().size(),
            commits,
            recorded.commits(),
            boot.equals(recorded.boot()) ? "killed" : "power cut",
            step == 0 ? "" : ", last: " + recorded.entries().get(step - 1).step(),
            lost);
  }
}
