package io.jcontainerd.testkit.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What there is on the machine that belongs to a test: processes that descend from this one or have
 * the mark in their command line, mounts below the scratch folder, loop devices on files in it,
 * cgroups and network namespaces with the mark in their name, files in the scratch folder, and this
 * process's open files. Taken before and after a test, to compare. Other work on the machine does
 * not matter.
 *
 * <p>Open files count only by number: the JDK opens jars and the like when it pleases, so a few
 * more are allowed.
 */
public final class LeakCheck {
  private static final int TOLERATED_FILES = 8;
  private static final String LOOP_DEVICE = "loop device ";
  private static final String PROCESS = "process ";
  private static final Duration LET_GO = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);

  private final Path scratch;
  private final String mark;
  private final Duration patience;
  private final Set<String> before;
  private final long openBefore;

  private LeakCheck(Path scratch, String mark, Duration patience) {
    this.scratch = scratch;
    this.mark = mark;
    this.patience = patience;
    this.before = look();
    this.openBefore = openFiles();
  }

  /**
   * Looks at the machine.
   *
   * @param scratch the folder in which the test works
   * @param mark a text that ids made by the test contain, such as a random prefix
   */
  public static LeakCheck begin(Path scratch, String mark) {
    return begin(scratch, mark, LET_GO);
  }

  static LeakCheck begin(Path scratch, String mark, Duration patience) {
    return new LeakCheck(scratch, mark, patience);
  }

  /**
   * Fails if there is anything that was not there at the beginning. Some things are waited for: the
   * kernel lets loop devices go after the unmount, and later still while somebody looks at one; who
   * was killed takes a moment to die; and other threads have files open for a moment.
   */
  public void assertNothingLeft() {
    long deadline = System.nanoTime() + patience.toNanos();
    Set<String> left = left();
    long more = openFiles() - openBefore;
    while ((left.stream().anyMatch(LeakCheck::goesLater) || more >= TOLERATED_FILES)
        && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(POLL.toNanos());
      left = left();
      more = openFiles() - openBefore;
    }
    assertThat(left).as("left behind").isEmpty();
    assertThat(more).as("more open files").isLessThan(TOLERATED_FILES);
  }

  private static boolean goesLater(String thing) {
    return thing.startsWith(LOOP_DEVICE) || thing.startsWith(PROCESS);
  }

  private Set<String> left() {
    var left = new TreeSet<>(look());
    left.removeAll(before);
    return left;
  }

  private Set<String> look() {
    var all = new TreeSet<String>();
    all.addAll(processes());
    all.addAll(mounts());
    all.addAll(loopDevices());
    all.addAll(named("cgroup", Path.of("/sys/fs/cgroup"), 6));
    all.addAll(named("network namespace", Path.of("/run/netns"), 1));
    all.addAll(files());
    return all;
  }

  private Set<String> processes() {
    Set<Long> own =
        ProcessHandle.current().descendants().map(ProcessHandle::pid).collect(Collectors.toSet());
    long self = ProcessHandle.current().pid();
    var found = new TreeSet<String>();
    for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
      String command = read(Path.of("/proc/" + process.pid() + "/cmdline")).replace('\0', ' ');
      boolean marked = !mark.isEmpty() && command.contains(mark) && process.pid() != self;
      if (own.contains(process.pid()) || marked) {
        found.add(PROCESS + process.pid() + " " + command.strip());
      }
    }
    return found;
  }

  private Set<String> mounts() {
    return read(Path.of("/proc/self/mountinfo"))
        .lines()
        .map(line -> line.split(" ", -1)[4])
        .filter(point -> Path.of(point.replace("\\040", " ")).startsWith(scratch))
        .map(point -> "mount " + point)
        .collect(Collectors.toSet());
  }

  private Set<String> loopDevices() {
    var found = new TreeSet<String>();
    for (Path device : children(Path.of("/sys/block"))) {
      String file = read(device.resolve("loop/backing_file")).strip();
      if (!file.isEmpty() && Path.of(file).startsWith(scratch)) {
        found.add(LOOP_DEVICE + device.getFileName() + " on " + file);
      }
    }
    return found;
  }

  private Set<String> named(String what, Path top, int depth) {
    if (mark.isEmpty() || !Files.isDirectory(top)) {
      return Set.of();
    }
    var found = new TreeSet<String>();
    collect(what, top, depth, found);
    return found;
  }

  private void collect(String what, Path folder, int depth, Set<String> found) {
    for (Path child : children(folder)) {
      if (String.valueOf(child.getFileName()).contains(mark)) {
        found.add(what + " " + child);
      } else if (depth > 1 && Files.isDirectory(child, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
        collect(what, child, depth - 1, found);
      }
    }
  }

  /** Folders and processes come and go while others work: what vanished is not ours. */
  private static List<Path> children(Path folder) {
    try (Stream<Path> children = Files.list(folder)) {
      return children.toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private Set<String> files() {
    if (!Files.isDirectory(scratch)) {
      return Set.of();
    }
    try (Stream<Path> walk = Files.walk(scratch)) {
      return walk.skip(1).map(path -> "file " + path).collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof NoSuchFileException) {
        return files(); // something is just being removed
      }
      throw e;
    }
  }

  private static long openFiles() {
    return children(Path.of("/proc/self/fd")).size();
  }

  private static String read(Path path) {
    try {
      return Files.readString(path, java.nio.charset.StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }
}
