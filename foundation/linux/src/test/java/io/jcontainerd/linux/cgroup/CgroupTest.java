package io.jcontainerd.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.descriptor.Reactor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading of control groups from folders that look like them. */
class CgroupTest {
  @TempDir Path folder;

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(Objects.requireNonNull(path.getParent()));
    Files.writeString(path, text);
  }

  private static CgroupMounts.Mount mount(CgroupMounts mounts, String controller) {
    return Objects.requireNonNull(mounts.controllers().get(controller), controller);
  }

  @Test
  void mounts_are_found_by_controller_and_below_their_roots() {
    CgroupMounts mounts =
        CgroupMounts.parse(
            List.of(
                "30 24 0:26 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw,mode=755",
                "31 30 0:27 / /sys/fs/cgroup/cpu\\040x rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct",
                "32 30 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
                "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"));
    assertThat(mount(mounts, "cpuacct").folder("/a/b"))
        .contains(Path.of("/sys/fs/cgroup/cpu x/a/b"));
    assertThat(mount(mounts, "memory").folder("/docker/abc/inner"))
        .contains(Path.of("/sys/fs/cgroup/memory/inner"));
    assertThat(mount(mounts, "memory").folder("/elsewhere")).isEmpty();
    assertThat(mounts.unified().orElseThrow().folder("/x"))
        .contains(Path.of("/sys/fs/cgroup/unified/x"));
  }

  @Test
  void counters_of_version_two_are_read_with_their_limits() throws Exception {
    write("pids.current", "3\n");
    write("pids.max", "max\n");
    write("cpu.stat", "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n");
    write("memory.stat", "anon 4096\nfile 8192\nworkingset_refault_anon 1\n");
    write("memory.current", "12288\n");
    write("memory.max", "1048576\n");
    write("memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\n");
    write("io.stat", "8:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=0 dios=0\n");
    write(
        "cpu.pressure",
        "some avg10=1.50 avg60=0.20 avg300=0.00 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
    write("hugetlb.2MB.current", "2097152\n");
    write("hugetlb.2MB.max", "max\n");
    write("hugetlb.2MB.events", "max 4\n");
    write("hugetlb.2MB.rsvd.current", "0\n");
    CgroupV2.Metrics metrics = new CgroupV2(folder).metrics();
    assertThat(metrics.pids()).hasValue(3);
    assertThat(metrics.pidsLimit()).hasValue(-1);
    assertThat(metrics.cpu()).containsEntry("usage_usec", 1234L);
    assertThat(metrics.memoryUsage()).hasValue(12288);
    assertThat(metrics.memoryLimit()).hasValue(1048576);
    assertThat(metrics.swapUsage()).isEmpty();
    assertThat(metrics.memoryEvents()).containsEntry("oom_kill", 1L);
    assertThat(metrics.blockOperations())
        .containsExactly(new CgroupV2.BlockOperations(8, 0, 4096, 512, 1, 2));
    assertThat(metrics.hugePages()).containsExactly(new CgroupV2.HugePages("2MB", 2097152, -1, 4));
    assertThat(metrics.cpuPressure().orElseThrow().some())
        .isEqualTo(new CgroupV2.Pressure(1.5, 0.2, 0, 99));
    assertThat(metrics.memoryPressure()).isEmpty();
  }

  @Test
  void counters_of_version_one_are_read_from_each_controller() throws Exception {
    write("memory/memory.stat", "cache 1\nrss 2\nhierarchical_memory_limit 9223372036854771712\n");
    write("memory/memory.usage_in_bytes", "4096\n");
    write("memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("memory/memory.max_usage_in_bytes", "8192\n");
    write("memory/memory.failcnt", "5\n");
    write("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    write("cpuacct/cpuacct.usage", "1000000\n");
    write("cpuacct/cpuacct.stat", "user 3\nsystem 4\n");
    write("cpuacct/cpuacct.usage_percpu", "600000 400000 \n");
    write("cpu/cpu.stat", "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n");
    write("pids/pids.current", "2\n");
    write("pids/pids.max", "100\n");
    write(
        "blkio/blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Write 20\nTotal 30\n");
    CgroupV1 group =
        new CgroupV1(
            Map.of(
                "memory", folder.resolve("memory"),
                "cpuacct", folder.resolve("cpuacct"),
                "cpu", folder.resolve("cpu"),
                "pids", folder.resolve("pids"),
                "blkio", folder.resolve("blkio")));
    CgroupV1.Metrics metrics = group.metrics();
    assertThat(metrics.memoryUsage().get("memory"))
        .isEqualTo(new CgroupV1.Usage(4096, 9223372036854771712L, 8192, 5));
    assertThat(metrics.memoryUsage()).doesNotContainKey("memsw");
    assertThat(metrics.cpuUser()).isEqualTo(30_000_000);
    assertThat(metrics.cpuKernel()).isEqualTo(40_000_000);
    assertThat(metrics.cpuEach()).containsExactly(600000L, 400000L);
    assertThat(metrics.throttling()).containsEntry("nr_throttled", 2L);
    assertThat(metrics.oom()).containsEntry("oom_kill", 2L);
    assertThat(metrics.blockOperations().get("io_service_bytes_recursive"))
        .containsExactly(
            new CgroupV1.BlockOperations("", 8, 0, "Read", 10),
            new CgroupV1.BlockOperations("", 8, 0, "Write", 20));
  }

  @Test
  void processes_of_inner_groups_count_too() throws Exception {
    write("cgroup.procs", "1\n2\n");
    write("inner/cgroup.procs", "3\n");
    write("inner/deep/cgroup.procs", "4\n");
    assertThat(new CgroupV2(folder).processes()).containsExactlyInAnyOrder(1, 2, 3, 4);
    assertThat(new CgroupV2(folder.resolve("gone")).processes()).isEmpty();
    assertThat(new CgroupV2(folder.resolve("gone")).exists()).isFalse();
  }

  @Test
  void a_kill_for_lack_of_memory_is_told_once_and_other_changes_are_not() throws Exception {
    write("memory.events", "oom 0\noom_kill 0\n");
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    try (Reactor reactor = Reactor.start("oom-test")) {
      OomWatcher watcher = new OomWatcher(reactor);
      OomWatcher.Watch watch =
          watcher.watch(new CgroupV2(folder), () -> told.add("oom")).orElseThrow();
      write("memory.events", "oom 1\noom_kill 0\n");
      write("memory.events", "oom 1\noom_kill 1\n");
      assertThat(told.poll(60, TimeUnit.SECONDS)).isEqualTo("oom");
      assertThat(watch.end()).isFalse();
      assertThat(watch.end()).isFalse();
      write("memory.events", "oom 2\noom_kill 2\n");
      Settling.settle(reactor);
      assertThat(told).isEmpty();
      assertThat(watcher.watch(new CgroupV2(folder.resolve("none")), () -> {})).isEmpty();
    }
  }

  @Test
  void a_kill_that_was_not_told_yet_is_seen_at_the_end_of_the_watch() throws Exception {
    write("memory.events", "oom 0\noom_kill 1\n");
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    try (Reactor reactor = Reactor.start("oom-test")) {
      OomWatcher.Watch watch =
          new OomWatcher(reactor).watch(new CgroupV2(folder), () -> told.add("oom")).orElseThrow();
      CountDownLatch busy = new CountDownLatch(1);
      CountDownLatch seen = new CountDownLatch(1);
      reactor.execute( // as late as the kernel may be
          () -> {
            busy.countDown();
            try {
              seen.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });
      assertThat(busy.await(60, TimeUnit.SECONDS)).isTrue();
      write("memory.events", "oom 1\noom_kill 2\n");
      assertThat(watch.end()).isTrue();
      assertThat(watch.end()).isFalse();
      seen.countDown();
      Settling.settle(reactor);
      assertThat(told).isEmpty();
    }
  }

  @Test
  void the_group_of_this_process_is_found_or_is_the_root() throws Exception {
    int self = (int) ProcessHandle.current().pid();
    Optional<ContainerCgroup> group = ContainerCgroup.of(self);
    assertThat(group.isEmpty() || group.get().processes().contains(self)).isTrue();
    assertThat(ContainerCgroup.of(Integer.MAX_VALUE)).isEmpty();
  }

  /** Waits until a reactor has done what it was given. */
  private static final class Settling {
    static void settle(Reactor reactor) throws InterruptedException {
      var done = new java.util.concurrent.CountDownLatch(1);
      reactor.execute(done::countDown);
      assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
    }
  }
}
