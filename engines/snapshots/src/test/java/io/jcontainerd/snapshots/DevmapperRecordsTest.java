package io.jcontainerd.snapshots;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.SnapshotterContract;
import io.jcontainerd.testkit.disk.LoopDisk;
import io.jcontainerd.testkit.process.ScriptedProcesses;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a pool that understands what is said to it, but is none. */
@SuppressWarnings("NullAway.Init")
class DevmapperRecordsTest extends SnapshotterContract {
  @TempDir Path folder;
  private Bench bench;
  private final Pool pool = new Pool();
  private final ScriptedProcesses processes = new ScriptedProcesses(pool);

  /** A thin pool by the name of "pool". */
  private static final class Pool implements ScriptedProcesses.Script {
    /** Used sectors by number. */
    final TreeMap<Long, Long> devices = new TreeMap<>();

    final TreeSet<String> active = new TreeSet<>();
    final TreeSet<String> suspended = new TreeSet<>();

    /** Names without a table. */
    final TreeSet<String> empty = new TreeSet<>();

    boolean mkfsFails;

    /** Numbers of devices that hold something that was not forced. */
    final TreeSet<Long> unforced = new TreeSet<>();

    /** What is told of every device, if something is wrong. */
    String trouble = "";

    private static Processes.Finished end(int status, String text) {
      byte[] bytes = text.getBytes(UTF_8);
      return status == 0
          ? new Processes.Finished(0, bytes, new byte[0])
          : new Processes.Finished(status, new byte[0], bytes);
    }

    @Override
    public synchronized Processes.Finished run(Processes.Spawn spawn) {
      List<String> words = spawn.command();
      if (words.getFirst().endsWith("/mkfs.ext4")) {
        String device = words.getLast().replace("/dev/mapper/", "");
        if (mkfsFails || !active.contains(device)) {
          return end(1, "no file system on " + device);
        }
        devices.put(number(device), 100L);
        return end(0, "");
      }
      if (words.getFirst().endsWith("/sync")) {
        String device = words.getLast().replace("/dev/mapper/", "");
        if (!active.contains(device) || suspended.contains(device)) {
          return end(1, "cannot force " + device);
        }
        unforced.remove(number(device));
        return end(0, "");
      }
      assertThat(words.getFirst()).endsWith("/dmsetup");
      return switch (words.get(1)) {
        case "status" ->
            words.get(2).equals("pool")
                ? end(0, "0 1000 thin-pool 1 2/3 4/5 - rw")
                : active.contains(words.get(2))
                    ? end(0, "0 2048 thin " + devices.get(number(words.get(2))) + " 7\n")
                    : end(1, "no such device");
        case "info" -> info(words.get(2));
        case "create" -> {
          String name = words.get(2);
          assertThat(words.get(4)).isEqualTo("0 2048 thin /dev/mapper/pool " + number(name));
          yield devices.containsKey(number(name)) && active.add(name)
              ? end(0, "")
              : end(1, "cannot activate " + name);
        }
        case "remove" -> {
          empty.remove(words.getLast());
          yield active.remove(words.getLast()) ? end(0, "") : end(1, "no such device");
        }
        case "suspend" -> suspended.add(words.get(2)) ? end(0, "") : end(1, "suspended already");
        case "resume" -> suspended.remove(words.get(2)) ? end(0, "") : end(1, "not suspended");
        case "message" -> message(words.get(4).split(" ", -1));
        default -> throw new AssertionError(words.toString());
      };
    }

    private Processes.Finished info(String name) {
      if (!trouble.isEmpty()) {
        return end(1, trouble);
      }
      if (!active.contains(name)) {
        return end(1, "Device does not exist.\nCommand failed.\n");
      }
      return end(
          0,
          """
          Name:              %s
          State:             %s
          Read Ahead:        256
          Tables present:    %s
          """
              .formatted(
                  name,
                  suspended.contains(name) ? "SUSPENDED" : "ACTIVE",
                  empty.contains(name) ? "None" : "LIVE"));
    }

    private Processes.Finished message(String[] words) {
      long id = Long.parseLong(words[1]);
      return switch (words[0]) {
        case "create_thin" ->
            devices.putIfAbsent(id, 0L) == null ? end(0, "") : end(1, "File exists");
        case "create_snap" -> {
          Long origin = devices.get(Long.parseLong(words[2]));
          yield origin != null && devices.putIfAbsent(id, origin) == null
              ? end(0, "")
              : end(1, "cannot snapshot");
        }
        case "delete" ->
            devices.remove(id) == null ? end(1, "message failed: No data available") : end(0, "");
        default -> throw new AssertionError(words[0]);
      };
    }

    private static long number(String name) {
      assertThat(name).startsWith("pool-snap-");
      return Long.parseLong(name.substring("pool-snap-".length()));
    }
  }

  @BeforeEach
  void start() {
    LoopDisk.requireProgram("dmsetup");
    LoopDisk.requireProgram("mkfs.ext4");
    bench = new Bench(folder);
  }

  @AfterEach
  void stop() {
    if (bench != null) {
      bench.close();
    }
  }

  private static DevmapperSnapshotter.Options options() {
    return new DevmapperSnapshotter.Options("pool", 1 << 20, false, false, "", "");
  }

  @Override
  protected Snapshotter open() {
    return DevmapperSnapshotter.open(Bench.ROOT, bench.environment(), processes, options());
  }

  @Test
  void mounts_are_of_devices_with_the_pools_name() {
    Snapshotter snapshotter = open();
    assertThat(prepare(snapshotter, "active", ""))
        .containsExactly(new Mount("ext4", "/dev/mapper/pool-snap-1", List.of()));
    commit(snapshotter, "base", "active");
    assertThat(pool.active).isEmpty();
    assertThat(snapshotter.view("view", "base", Map.of()))
        .containsExactly(new Mount("ext4", "/dev/mapper/pool-snap-2", List.of("ro")));
    assertThat(snapshotter.stat("base").labels())
        .containsEntry(DevmapperSnapshotter.TYPE_LABEL, "ext4");
    assertThat(pool.suspended).isEmpty();
    snapshotter.remove("view");
    snapshotter.remove("base");
    assertThat(pool.devices).isEmpty();
    assertThat(pool.active).isEmpty();
  }

  @Test
  void usage_is_what_was_added() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    assertThat(snapshotter.usage("base").size()).isEqualTo(100 * 512);
    prepare(snapshotter, "active", "base");
    assertThat(snapshotter.usage("active").size()).isZero();
    pool.devices.put(2L, 130L);
    assertThat(snapshotter.usage("active").size()).isEqualTo(30 * 512);
  }

  @Test
  void after_a_boot_devices_get_their_names_back() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    pool.active.clear();
    assertThat(open().mounts("active")).hasSize(1);
    assertThat(pool.active).containsExactly("pool-snap-1");
  }

  @Test
  void what_a_killed_daemon_held_still_or_half_made_is_usable_again() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    pool.suspended.add("pool-snap-1");
    assertThat(snapshotter.mounts("active")).hasSize(1);
    assertThat(pool.suspended).isEmpty();
    pool.empty.add("pool-snap-1");
    assertThat(snapshotter.mounts("active")).hasSize(1);
    assertThat(pool.empty).isEmpty();
    assertThat(pool.active).containsExactly("pool-snap-1");
    pool.suspended.add("pool-snap-1");
    commit(snapshotter, "base", "active");
    assertThat(pool.suspended).isEmpty();
  }

  @Test
  void a_device_is_forced_before_its_commit_is_recorded() {
    Snapshotter snapshotter = open();
    for (String key : List.of("active", "ns/1/extract-1-x sha256:" + "a".repeat(64))) {
      pool.unforced.clear();
      prepare(snapshotter, key, "");
      pool.unforced.addAll(pool.devices.keySet());
      long id = pool.devices.lastKey();
      bench.refuse("UPDATE", "backend_snapshots");
      assertThatThrownBy(() -> commit(snapshotter, "base-" + id, key))
          .isInstanceOf(InternalException.class);
      assertThat(pool.unforced).doesNotContain(id);
      bench.allow();
      commit(snapshotter, "base-" + id, key);
    }
  }

  @Test
  void a_device_is_not_taken_for_none_because_nobody_can_tell() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    pool.trouble = "/dev/mapper/control: open failed: Permission denied\nCommand failed.\n";
    assertThatThrownBy(() -> commit(snapshotter, "base", "active"))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("Permission denied");
    snapshotter.remove("active");
    assertThat(pool.devices.keySet()).containsExactly(1L);
    assertThat(pool.active).containsExactly("pool-snap-1");
    pool.trouble = "";
    snapshotter.cleanup();
    assertThat(pool.devices).isEmpty();
    assertThat(pool.active).isEmpty();
  }

  @Test
  void a_failure_leaves_no_device() {
    Snapshotter snapshotter = open();
    pool.mkfsFails = true;
    assertThatThrownBy(() -> prepare(snapshotter, "active", ""))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("no file system on pool-snap-1");
    assertThat(pool.devices).isEmpty();
    assertThat(pool.active).isEmpty();
    assertThat(bench.files.tree()).doesNotContain(Bench.ROOT + "/snapshots/1");
  }

  @Test
  void devices_of_a_killed_daemon_go_with_the_next_clean_up() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    Path notes = Bench.ROOT.resolve("snapshots");
    bench.files.writeAll(notes.resolve("7"), "ext4 0\n".getBytes(UTF_8), 0600);
    pool.devices.put(7L, 0L);
    bench.files.writeAll(notes.resolve("8"), "ext4 0\n".getBytes(UTF_8), 0600);
    open().cleanup();
    assertThat(pool.devices.keySet()).containsExactly(1L);
    assertThat(bench.files.list(notes)).containsExactly("1");
  }

  @Test
  void what_is_missing_is_said() {
    assertThat(DevmapperSnapshotter.reasonAgainst("", bench.environment(), processes))
        .hasValue("devmapper not configured");
    assertThatThrownBy(() -> new DevmapperSnapshotter.Options("pool", 0, false, false, "", ""))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("base_image_size");
    assertThatThrownBy(
            () -> new DevmapperSnapshotter.Options("pool", 1 << 20, false, false, "zfs", ""))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("zfs");
    var other = new DevmapperSnapshotter.Options("other", 1 << 20, false, false, "", "");
    assertThatThrownBy(
            () -> DevmapperSnapshotter.open(Bench.ROOT, bench.environment(), processes, other))
        .isInstanceOfAny(UnknownException.class, FailedPreconditionException.class)
        .hasMessageContaining("other");
  }
}
