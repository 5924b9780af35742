package io.jcontainerd.endure;

import io.jcontainerd.testkit.tasks.TaskEvent;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What the record of events told of the processes of a namespace, beside what clients know of them.
 * Safe for many threads.
 */
final class TaskBook {
  /** A process: the first of its container has no exec's id. */
  private record Name(String container, String exec) {
    @Override
    public String toString() {
      return exec.isEmpty() ? container : container + "/" + exec;
    }
  }

  /** Steps of a life, in their order. */
  private enum Step {
    MADE,
    STARTED,
    EXITED,
    DELETED
  }

  private static final int NOT_TOLD = -1;

  private static final class Life {
    private final Map<Step, Integer> times = new EnumMap<>(Step.class);
    private boolean disordered;
    private Step last = Step.MADE;
    private int exit = NOT_TOLD;
    private int deleted = NOT_TOLD;
    private boolean known;
    private Certainty certainty = Certainty.NONE;
    private int status = NOT_TOLD;

    void told(Step step) {
      times.merge(step, 1, Integer::sum);
      disordered |= step.compareTo(last) < 0;
      last = step;
    }

    int times(Step step) {
      return times.getOrDefault(step, 0);
    }
  }

  private final Map<Name, Life> lives = new HashMap<>();
  private final List<Life> undone = new ArrayList<>();
  private long events;
  private int lost;
  private int doubled;
  private int wrong;

  private Life life(String container, String exec) {
    return lives.computeIfAbsent(new Name(container, exec), _ -> new Life());
  }

  /** The record tells this. */
  synchronized void told(TaskEvent event) {
    events++;
    switch (event.kind()) {
      case "create" -> {
        setUndoneAside(event.containerId());
        life(event.containerId(), "").told(Step.MADE);
      }
      case "exec-added" -> life(event.containerId(), event.execId()).told(Step.MADE);
      case "start" -> life(event.containerId(), "").told(Step.STARTED);
      case "exec-started" -> life(event.containerId(), event.execId()).told(Step.STARTED);
      case "exit" -> {
        Life life = life(event.containerId(), event.execId());
        life.told(Step.EXITED);
        life.exit = event.status();
      }
      case "delete" -> {
        Life life = life(event.containerId(), "");
        life.told(Step.DELETED);
        life.deleted = event.status();
      }
      default -> {
        // of pauses and the like nobody keeps count here
      }
    }
    notifyAll();
  }

  /**
   * A creation that was cut short and undone may have told its end, though nobody was told of its
   * beginning; the next one of that name has a life of its own.
   */
  private void setUndoneAside(String container) {
    Name name = new Name(container, "");
    Life before = lives.get(name);
    if (before != null && before.times(Step.DELETED) > 0 && before.times(Step.STARTED) == 0) {
      lives.remove(name);
      undone.add(before);
    }
  }

  /**
   * What a client knows for sure of a process, though some of its calls may have had no answer.
   *
   * @param made it was told that it is made
   * @param started it was told that it is started
   * @param ran it has seen that it runs or has run
   */
  record Certainty(boolean made, boolean started, boolean ran) {
    static final Certainty NONE = new Certainty(false, false, false);
    static final Certainty ALL = new Certainty(true, true, true);
  }

  /** A client made, started and deleted the process, which has ended with the status. */
  void lived(String container, String exec, int status) {
    known(container, exec, Certainty.ALL, OptionalInt.of(status));
  }

  /**
   * A client has made the process, or tried to, and knows that it is gone.
   *
   * @param status its end, if the client was told
   */
  synchronized void known(String container, String exec, Certainty certainty, OptionalInt status) {
    Life life = life(container, exec);
    life.known = true;
    life.certainty = certainty;
    life.status = status.orElse(NOT_TOLD);
  }

  synchronized long events() {
    return events;
  }

  /** Waits until all is told that should be; false if that takes too long. */
  synchronized boolean awaitComplete(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + millis * 1_000_000;
    while (lives.entrySet().stream().anyMatch(e -> missing(e.getKey(), e.getValue()) > 0)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(Math.min(left, 500));
    }
    return true;
  }

  /** How many events of it are owed. */
  private static int missing(Name name, Life life) {
    boolean first = name.exec().isEmpty();
    Certainty sure = life.certainty;
    boolean made = sure.made() || life.times(Step.MADE) > 0;
    boolean ends = sure.started() || sure.ran() || life.times(Step.STARTED) > 0 || (first && made);
    return owed(sure.made(), life.times(Step.MADE))
        + owed(sure.started(), life.times(Step.STARTED))
        + owed(ends, life.times(Step.EXITED))
        + owed(first && made, life.times(Step.DELETED));
  }

  private static int owed(boolean wanted, int times) {
    return wanted && times == 0 ? 1 : 0;
  }

  /** Compares; what is not as it should be becomes problems. */
  synchronized void verify(Problems problems) {
    lost = 0;
    doubled = 0;
    wrong = 0;
    lives.forEach((name, life) -> verify(name, life, problems));
    for (Life life : undone) {
      for (Step step : Step.values()) {
        doubled += Math.max(0, life.times(step) - 1);
        problems.unless(life.times(step) <= 1, "doubled events of an undone task: " + shown(life));
      }
    }
  }

  private void verify(Name name, Life life, Problems problems) {
    int missing = missing(name, life);
    lost += missing;
    problems.unless(missing == 0, "lost events of " + name + ": " + shown(life));
    for (Step step : Step.values()) {
      int more = Math.max(0, life.times(step) - 1);
      doubled += more;
      problems.unless(more == 0, "doubled events of " + name + ": " + shown(life));
    }
    List<String> wrongs = new ArrayList<>();
    if (!life.known) {
      wrongs.add("nobody has made it");
    }
    if (life.disordered) {
      wrongs.add("not in order");
    }
    if (life.status != NOT_TOLD && life.exit != NOT_TOLD && life.exit != life.status) {
      wrongs.add("ended with " + life.status + ", its event tells " + life.exit);
    }
    if (life.deleted != NOT_TOLD && life.deleted != life.exit) {
      wrongs.add("its exit tells " + life.exit + ", its deletion " + life.deleted);
    }
    wrong += wrongs.size();
    wrongs.forEach(each -> problems.add("wrong events of " + name + ": " + each));
  }

  private static String shown(Life life) {
    StringBuilder text = new StringBuilder();
    for (Step step : Step.values()) {
      text.append(step.name().toLowerCase(java.util.Locale.ROOT)).append(' ');
      text.append(life.times(step)).append(", ");
    }
    return text + "known to its client: " + life.certainty;
  }

  /** What {@link #verify} has found. */
  synchronized String result() {
    return "%d events of %d processes: %d lost, %d doubled, %d wrong"
        .formatted(events, lives.size(), lost, doubled, wrong);
  }
}
