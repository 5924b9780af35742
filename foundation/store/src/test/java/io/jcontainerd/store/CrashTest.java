package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process in the middle of its commits and looks at what it left. */
@Timeout(600)
class CrashTest {
  private static final int ROUNDS = 4;

  @TempDir Path folder;

  /** Writes pairs from several threads, saying each one's number once it is durable. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws InterruptedException {
      Store store =
          Store.open(Path.of(arguments[0]), StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS));
      long first = store.lastEvent();
      for (int t = 0; t < 4; t++) {
        Thread.ofPlatform()
            .start(
                () -> {
                  while (true) {
                    long number =
                        store.write(
                            tx -> {
                              long event = tx.event(1, "ns", "/n", "t", new byte[100]);
                              StoreTest.put(tx, "left" + event, "x".repeat(300));
                              StoreTest.put(tx, "right" + event, "y".repeat(300));
                              return event;
                            });
                    System.out.println(number);
                  }
                });
      }
      System.err.println("from " + first);
      Thread.currentThread().join();
    }
  }

  @Test
  void what_was_acknowledged_survives_a_kill_and_nothing_is_half_done() throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    Path file = folder.resolve("test.db");
    long acknowledged = 0;
    for (int round = 0; round < ROUNDS; round++) {
      acknowledged = Math.max(acknowledged, runAndKill(file, 50 + random.nextInt(400)));
      try (Store store = Store.open(file, StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS))) {
        long events = store.lastEvent();
        assertThat(events).isGreaterThanOrEqualTo(acknowledged);
        long left =
            store.read(tx -> tx.number("SELECT count(*) FROM pairs WHERE key GLOB 'left*'"));
        long right =
            store.read(tx -> tx.number("SELECT count(*) FROM pairs WHERE key GLOB 'right*'"));
        long rows = store.read(tx -> tx.number("SELECT count(*) FROM events"));
        assertThat(List.of(left, right, rows)).containsOnly(events);
        String check =
            store.read(
                tx -> tx.first("PRAGMA integrity_check", row -> row.text(0)).orElse("nothing"));
        assertThat(check).isEqualTo("ok");
      }
    }
    assertThat(acknowledged).isGreaterThan(ROUNDS * 50);
  }

  /** The highest number that the child acknowledged before it was killed. */
  private static long runAndKill(Path file, int acknowledgements) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-cp",
                classPath(),
                Child.class.getName(),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long highest = 0;
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
      for (int i = 0; i < acknowledgements; i++) {
        highest = Math.max(highest, number(out.readLine()));
      }
      child.toHandle().destroyForcibly(); // unlike the process's own, leaves its output readable
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (line.matches("[0-9]+")) {
          highest = Math.max(highest, number(line));
        }
      }
    } finally {
      child.destroyForcibly();
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    return highest;
  }

  private static long number(String line) {
    assertThat(line).as("the child ended by itself").isNotNull();
    return Long.parseLong(line);
  }

  /** Everything that this test runs with, whether by class path or module path. */
  private static String classPath() {
    String modules = System.getProperty("jdk.module.path", "");
    String tests =
        Path.of(CrashTest.class.getProtectionDomain().getCodeSource().getLocation().getPath())
            .toString();
    return String.join(
        File.pathSeparator,
        modules,
        System.getProperty("java.class.path"),
        Path.of("target/test-classes").toAbsolutePath().toString(),
        tests);
  }
}
