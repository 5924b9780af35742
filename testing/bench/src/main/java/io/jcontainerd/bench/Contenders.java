package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who pulls beside whom: our daemon for either client, the distribution's containerd, and, where
 * one is named, a newer containerd as it comes and as it is quickest.
 */
final class Contenders implements AutoCloseable {
  /** Names a folder with the {@code containerd} and {@code ctr} of a newer release. */
  static final String OTHER = "JCONTAINERD_BENCH_CONTAINERD";

  private static final String TRANSFER = "io.containerd.transfer.v1.local";

  /** What those who measured it found quickest: parts of 8 MiB, and more of them at a time. */
  private static final String QUICKEST =
      """
      [plugins."%s"]
      concurrent_layer_fetch_buffer = 8388608
      max_concurrent_downloads = 10
      """
          .formatted(TRANSFER);

  /** Layers side by side, which releases before 2.2 do not have. */
  private static final String UNPACKS = "max_concurrent_unpacks";

  private final List<Subject> daemons = new ArrayList<>();
  private final List<Puller> all = new ArrayList<>();
  private final Puller ours;
  private final Puller oursByCtr;
  private final Puller usual;
  private final String usualRelease;
  private String otherRelease = "";
  private Optional<Puller> other = Optional.empty();
  private Optional<Puller> quickest = Optional.empty();

  private Contenders(Path folder, Path launcher, String ctr)
      throws IOException, InterruptedException {
    Path jctr = launcher.resolveSibling("jctr");
    ours = Puller.jctr("jcontainerd, jctr pull", own(folder.resolve("a"), launcher), jctr);
    oursByCtr = Puller.ctr("jcontainerd, ctr pull", own(folder.resolve("b"), launcher), ctr);
    Subject reference = Subject.reference(folder.resolve("c"));
    daemons.add(reference);
    usualRelease = release("containerd");
    usual = Puller.ctr("containerd " + usualRelease + ", ctr pull", reference, ctr);
    all.addAll(List.of(ours, oursByCtr, usual));
  }

  private Subject own(Path folder, Path launcher) throws IOException, InterruptedException {
    Subject daemon = Subject.ours("jcontainerd", folder, launcher, Map.of());
    daemons.add(daemon);
    return daemon;
  }

  /** Starts all of them. */
  static Contenders start(Path folder, Path launcher) throws IOException, InterruptedException {
    var contenders = new Contenders(folder, launcher, "ctr");
    try {
      String binaries = System.getenv(OTHER);
      if (binaries != null) {
        contenders.add(folder, Path.of(binaries));
      }
      for (Subject daemon : contenders.daemons) {
        daemon.start();
      }
      return contenders;
    } catch (IOException | InterruptedException | RuntimeException e) {
      contenders.close();
      throw e;
    }
  }

  private void add(Path folder, Path binaries) throws IOException, InterruptedException {
    String containerd = binaries.resolve("containerd").toString();
    String release = release(containerd);
    otherRelease = release;
    String known = Commands.run(List.of(containerd, "config", "default"));
    String settings = QUICKEST;
    if (known.contains(UNPACKS)) {
      settings += UNPACKS + " = " + Runtime.getRuntime().availableProcessors() + "\n";
    }
    String ctr = binaries.resolve("ctr").toString();
    Subject plain = Subject.other("containerd-2", folder.resolve("d"), binaries, "");
    Subject tuned = Subject.other("containerd-2-quickest", folder.resolve("e"), binaries, settings);
    daemons.addAll(List.of(plain, tuned));
    Puller first = Puller.ctr("containerd " + release + ", ctr pull", plain, ctr);
    Puller second = Puller.ctr("containerd " + release + ", best settings", tuned, ctr);
    other = Optional.of(first);
    quickest = Optional.of(second);
    all.addAll(List.of(first, second));
    System.out.println("# best settings: " + settings.strip().replace("\n", ", "));
  }

  /** Without what distributions add to it. */
  private static String release(String containerd) throws IOException, InterruptedException {
    return Commands.run(List.of(containerd, "--version")).split("[ +~]", 5)[2];
  }

  List<Puller> all() {
    return List.copyOf(all);
  }

  /** The one that counts: our daemon does everything. */
  Puller ours() {
    return ours;
  }

  Puller oursByCtr() {
    return oursByCtr;
  }

  /** The distribution's. */
  Puller usual() {
    return usual;
  }

  String usualRelease() {
    return usualRelease;
  }

  /** Empty if there is no other one. */
  String otherRelease() {
    return otherRelease;
  }

  Optional<Puller> other() {
    return other;
  }

  Optional<Puller> quickest() {
    return quickest;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    for (Subject daemon : daemons) {
      daemon.close();
    }
  }
}
