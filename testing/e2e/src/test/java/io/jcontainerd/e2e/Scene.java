package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder, a registry with images, and a daemon; closing it takes all away and looks for traces.
 */
final class Scene implements AutoCloseable {
  final Path folder;
  final Registry registry;
  final TestImage images;
  final Daemon daemon;
  final Ctr ctr;
  private final Traces before;

  private Scene(Path folder, Daemon daemon) {
    this.folder = folder;
    this.daemon = daemon;
    before = Traces.now(folder);
    registry = Registry.start(folder.resolve("registry"));
    images = new TestImage(folder.resolve("images"));
    // the folder's name, so that cgroups tell whose they are
    ctr = daemon.ctr(folder.getFileName().toString());
  }

  /** A scene whose daemon runs with this machine's cgroups as they are. */
  static Scene open(String name) {
    return open(name, false, "");
  }

  static Scene open(String name, boolean privateMounts, String config) {
    Path folder = folder(name);
    Scene scene =
        new Scene(folder, new Daemon(folder.resolve("d"), privateMounts).withConfig(config));
    scene.daemon.start();
    return scene;
  }

  static Path folder(String name) {
    try {
      return Files.createTempDirectory(Path.of("/tmp"), "jc-" + name + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How {@code jctr} is called in the namespace. */
  List<String> jctr(Ctr where, String... words) {
    List<String> line = Command.line(List.of(Daemon.launcher("jctr").toString()), words);
    return Command.line(line, "-n", where.namespace(), "--address", daemon.socket().toString());
  }

  /** Pulls the small image under its usual name and returns the name. */
  String pulled() {
    String ref = registry.host() + "/busybox:1";
    images.push(registry, "busybox", "1", TestImage.Packing.GZIP);
    ctr.ok("images", "pull", "--plain-http", ref);
    return ref;
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    registry.close();
    List<String> left = removeTasks();
    daemon.close();
    try {
      before.assertNothingAdded(folder);
    } finally {
      Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
    }
    Command.run("rm", "-rf", folder.toString()).ok();
    assertThat(left).as("tasks that the tests left").isEmpty();
  }

  /** Ends what a failed test left, so that it does not outlive the suite. */
  private List<String> removeTasks() {
    List<String> left = new ArrayList<>();
    if (daemon.alive()) {
      for (String namespace : ctr.run("namespaces", "ls", "-q").lines()) {
        for (String task : ctr.in(namespace).run("tasks", "ls", "-q").lines()) {
          left.add(namespace + "/" + task);
          ctr.in(namespace).run("tasks", "rm", "-f", task);
        }
      }
    }
    return left;
  }
}
