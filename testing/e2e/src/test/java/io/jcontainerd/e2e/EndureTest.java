package io.jcontainerd.e2e;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The daemon killed under load, as {@code ./dev kill} does it, but not as often. */
@Tag("root")
class EndureTest {
  private static final Duration LIMIT = Duration.ofMinutes(15);

  private static final int ROUNDS = 20;

  private Path folder;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "it is about what only ours promises");
    folder = Scene.folder("endure");
  }

  @AfterEach
  void close() {
    if (folder != null) {
      Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
      Command.run("rm", "-rf", folder.toString()).ok();
    }
  }

  private List<String> endure(String... words) {
    return Command.line(List.of(Daemon.launcher("endure").toString()), words);
  }

  @Test
  void what_was_promised_survives_every_kill() {
    Command run = Command.run(endure("kill", "15", "--folder", folder + "/k"), "", LIMIT).ok();
    System.out.print(run.out());
    assertThat(run.out()).contains("15 kills", "failures 0");
  }

  @Test
  void a_loss_is_told() throws IOException {
    Path data = folder.resolve("p");
    Path store = data.resolve("root/io.jcontainerd.store.v1.sqlite/store.db");
    long wanted = 2;
    List<String> settled;
    int rounds = 0;
    do { // the load deletes images, too: one must be left when another is lost
      assertThat(rounds++).as("rounds of load without images left").isLessThan(ROUNDS);
      long enough = wanted;
      try (Background load = Background.start(endure("power", "load", data.toString()))) {
        Await.until(
            "images", LIMIT, () -> unpacked(data) >= enough && settledImages(data).size() >= 2);
      }
      Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
      Await.until("the daemon is dead", () -> Traces.processes(folder).isEmpty());
      wanted = unpacked(data) + 2;
      settled = settledImages(data);
    } while (settled.isEmpty() || images(store) < 2);
    deleteBlobs(data.resolve("root/io.containerd.content.v1.content/blobs/sha256"));
    flipBits(data.resolve("root/io.containerd.snapshotter.v1.native/snapshots"));
    flipBits(data.resolve("root/io.containerd.snapshotter.v1.overlayfs/snapshots"));
    dropImage(store, settled.getFirst());
    Command run = Command.run(endure("power", "verify", data.toString()), "", LIMIT);
    assertThat(run.status()).as(run.toString()).isOne();
    assertThat(run.out())
        .containsPattern("image\\|.* was '.*; found ''")
        .containsPattern("content sha256:.* cannot be read")
        .containsPattern("snapshot (one|two)/(overlayfs|native)/.*: ");
  }

  private static void deleteBlobs(Path blobs) throws IOException {
    try (Stream<Path> all = Files.list(blobs)) {
      for (Path blob : all.toList()) {
        Files.delete(blob);
      }
    }
  }

  /** Changes a bit of every file that has some, and leaves no trace in its time. */
  private static void flipBits(Path snapshots) throws IOException {
    try (Stream<Path> tree = Files.walk(snapshots)) {
      for (Path file : tree.filter(f -> Files.isRegularFile(f, NOFOLLOW_LINKS)).toList()) {
        FileTime time = Files.getLastModifiedTime(file);
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length > 0) {
          bytes[bytes.length / 2] ^= 1;
          Files.write(file, bytes);
          Files.setLastModifiedTime(file, time);
        }
      }
    }
  }

  /** Images of which nothing was being asked when the daemon died, as {@code image|NS|NAME}. */
  private static List<String> settledImages(Path data) {
    Map<String, String> asked = new HashMap<>();
    Map<String, String> told = new TreeMap<>();
    for (String line : ledger(data)) {
      String[] fields = line.split("\t", -1);
      if (fields.length > 1 && fields[1].startsWith("image|")) {
        switch (fields[0]) {
          case "begin" -> asked.put(fields[1], fields.length > 2 ? fields[2] : "");
          case "done" -> {
            String value = asked.remove(fields[1]);
            if (value != null) {
              told.put(fields[1], value);
            }
          }
          default -> {
            // written when a dead daemon's store is looked at, and remarks
          }
        }
      }
    }
    return told.entrySet().stream()
        .filter(image -> !image.getValue().isEmpty() && !asked.containsKey(image.getKey()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static void dropImage(Path store, String key) {
    String[] parts = key.split("\\|", 3);
    String _ =
        sql(
            store,
            "delete from images where namespace = '%s' and name = '%s'"
                .formatted(parts[1], parts[2]));
  }

  private static long images(Path store) {
    return Long.parseLong(sql(store, "select count(*) from images").strip());
  }

  /** Runs a statement on the store of a dead daemon, and gives the first value of its result. */
  private static String sql(Path store, String statement) {
    return Command.run(
            "python3",
            "-c",
            """
            import sqlite3, sys
            store = sqlite3.connect(sys.argv[1])
            row = store.execute(sys.argv[2]).fetchone()
            store.commit()
            print(row[0] if row else '')
            """,
            store.toString(),
            statement)
        .ok()
        .out();
  }

  private static long unpacked(Path data) {
    return ledger(data).stream().filter(line -> line.startsWith("done\tunpacked|")).count();
  }

  /** Its last line may be half there while it is being written. */
  private static List<String> ledger(Path data) {
    try {
      return Files.readAllLines(data.resolve("ledger"));
    } catch (IOException _) {
      return List.of(); // it is not there yet
    }
  }
}
