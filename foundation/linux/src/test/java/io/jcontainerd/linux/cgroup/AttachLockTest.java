package io.jcontainerd.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lock is asked for by a write to the group of this process, and to no other. */
class AttachLockTest {
  private static final long DEADLINE = TimeUnit.SECONDS.toNanos(90);
  @TempDir Path folder;

  private CgroupMounts mounts(String... kinds) {
    return CgroupMounts.parse(
        List.of(kinds).stream()
            .map(
                kind ->
                    "30 24 0:26 / " + folder + "/" + kind.replaceAll("\\W+", "-") + " rw - " + kind)
            .toList());
  }

  private Path group(String path) throws IOException {
    Path group = Files.createDirectories(folder.resolve(path));
    Files.createFile(group.resolve("cgroup.procs"));
    return group;
  }

  private static void awaitContent(Path file, String text) throws Exception {
    long begin = System.nanoTime();
    while (!Files.readString(file).equals(text)) {
      assertThat(System.nanoTime() - begin)
          .as("until " + file + " is written")
          .isLessThan(DEADLINE);
      Thread.sleep(1);
    }
  }

  @Test
  void this_process_is_written_to_its_own_group_again_each_time() throws Exception {
    Path membership =
        Files.writeString(folder.resolve("membership"), "3:cpu,cpuacct:/a\n0::/a/b\n");
    Path group = group("cgroup2-cgroup2-rw/a/b");
    Path other = group("cgroup-cgroup-rw-cpu-cpuacct/a");
    try (var lock =
        new AttachLock(mounts("cgroup2 cgroup2 rw", "cgroup cgroup rw,cpu,cpuacct"), membership)) {
      lock.prefetch();
      awaitContent(group.resolve("cgroup.procs"), "0");
      Files.writeString(membership, "3:cpu,cpuacct:/a\n0::/moved\n");
      Path moved = group("cgroup2-cgroup2-rw/moved");
      lock.prefetch();
      awaitContent(moved.resolve("cgroup.procs"), "0");
    }
    assertThat(other.resolve("cgroup.procs")).isEmptyFile();
  }

  @Test
  void without_version_two_a_group_of_version_one_serves() {
    var lock =
        new AttachLock(mounts("cgroup cgroup rw,cpu,cpuacct", "cgroup cgroup rw,name=x"), folder);
    assertThat(lock.group(List.of("9:name=x:/y", "3:cpu,cpuacct:/a", "0::/z")))
        .contains(folder.resolve("cgroup-cgroup-rw-name-x/y"));
    assertThat(lock.group(List.of("3:cpu,cpuacct:/a")))
        .contains(folder.resolve("cgroup-cgroup-rw-cpu-cpuacct/a"));
    assertThat(lock.group(List.of("4:devices:/a", "nonsense"))).isEmpty();
  }

  @Test
  void a_group_that_is_gone_is_not_made() throws Exception {
    Path membership = Files.writeString(folder.resolve("membership"), "0::/gone\n");
    try (var lock = new AttachLock(mounts("cgroup2 cgroup2 rw"), membership)) {
      lock.prefetch();
      Path here = group("cgroup2-cgroup2-rw/here");
      Files.writeString(membership, "0::/here\n");
      lock.prefetch();
      awaitContent(here.resolve("cgroup.procs"), "0");
    }
    assertThat(folder.resolve("cgroup2-cgroup2-rw/gone")).doesNotExist();
  }

  @Test
  void the_real_lock_is_taken_for_this_process() throws Exception {
    try (AttachLock lock = AttachLock.ofThisProcess()) {
      List<String> before = Files.readAllLines(Path.of("/proc/self/cgroup"));
      assertThat(lock.group(before)).hasValueSatisfying(g -> assertThat(g).isDirectory());
      lock.prefetch();
      assertThat(Files.readAllLines(Path.of("/proc/self/cgroup"))).isEqualTo(before);
    }
  }
}
