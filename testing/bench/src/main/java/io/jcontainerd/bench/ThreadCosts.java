package io.jcontainerd.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The CPU time of a process by the names of its threads, while this is open. Threads are looked at
 * some ten times a second, so the end of one that went is missed by that much.
 */
final class ThreadCosts implements AutoCloseable {
  private static final long PERIOD_MILLIS = 80;

  private final Path tasks;
  private final Cost cost;
  private final Map<String, Used> threads = new HashMap<>();
  private final Thread sampler;
  private volatile boolean over;

  private static final class Used {
    private final String name;
    private final double first;
    private double last;

    Used(String name, double first) {
      this.name = name;
      this.first = first;
      this.last = first;
    }
  }

  /**
   * What the threads of one name did.
   *
   * @param name without what differs from thread to thread
   * @param seconds of CPU
   */
  record Group(String name, double seconds) {}

  ThreadCosts(long pid, Cost cost) {
    tasks = Path.of("/proc/" + pid + "/task");
    this.cost = cost;
    look(false);
    sampler = Thread.ofPlatform().daemon(true).name("thread-costs").start(this::watch);
  }

  private void watch() {
    while (!over) {
      try {
        Thread.sleep(PERIOD_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
      look(true);
    }
  }

  private synchronized void look(boolean begun) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(tasks)) {
      for (Path task : found) {
        look(task, begun);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A thread that came later has had all of its time meanwhile. */
  private void look(Path task, boolean begun) throws IOException {
    try {
      String stat = Files.readString(task.resolve("stat"), StandardCharsets.ISO_8859_1);
      double now = cost.alone(stat);
      String name = stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      String key = task.getFileName() + " " + name;
      threads.computeIfAbsent(key, _ -> new Used(group(name), begun ? 0 : now)).last = now;
    } catch (NoSuchFileException e) {
      // it ended meanwhile; what it had last time counts
    } catch (IOException e) {
      if (Files.exists(task)) {
        throw e;
      }
    }
  }

  /** The name up to its first dash or number sign, behind which are digests and counts. */
  static String group(String name) {
    return name.split("[-#]", 2)[0].strip();
  }

  /** The groups so far, greatest first. */
  synchronized List<Group> groups() {
    Map<String, Double> sums = new TreeMap<>();
    for (Used used : threads.values()) {
      sums.merge(used.name, used.last - used.first, Double::sum);
    }
    return sums.entrySet().stream()
        .map(sum -> new Group(sum.getKey(), sum.getValue()))
        .sorted((a, b) -> Double.compare(b.seconds(), a.seconds()))
        .toList();
  }

  @Override
  public void close() throws InterruptedException {
    over = true;
    sampler.join();
    look(true);
  }
}
