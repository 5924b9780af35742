package io.jcontainerd.endure;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a run takes place: a daemon's folders, and a name that no other run on this machine has.
 *
 * @param name also of the namespace
 */
record Ground(String name, Path folder, DaemonProcess daemon) {
  private static final Path UNIFIED = Path.of("/sys/fs/cgroup/unified");

  /**
   * A new one.
   *
   * @param kind of the run, in a word
   * @param wanted for what stays; else below the checkout's target folder
   * @param ociRuntime that the daemon is to use; empty for its choice
   */
  static Ground open(Path program, String kind, Optional<Path> wanted, String ociRuntime)
      throws IOException {
    String name = kind + "-" + ProcessHandle.current().pid();
    Path folder = wanted.map(Path::toAbsolutePath).orElseGet(() -> Main.target().resolve(name));
    Files.createDirectories(folder);
    boolean oneHierarchy = ociRuntime.equals("crun") && Files.exists(UNIFIED);
    Path run = Path.of("/run/jcontainerd-" + name);
    return new Ground(name, folder, new DaemonProcess(program, folder, run, oneHierarchy));
  }

  /**
   * Ends what is left of the run, removes its folder if all was good, and tells what could not be
   * ended.
   *
   * @param again how to have the same run again
   * @return whether all is good still
   */
  boolean leave(boolean good, String again, PrintStream out)
      throws IOException, InterruptedException {
    List<String> left = Ending.end(daemon, name);
    left.forEach(each -> out.println("  left behind: " + each));
    if (good && left.isEmpty()) {
      delete(folder);
      return true;
    }
    out.println("kept: " + folder + "; again: " + again);
    return false;
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
