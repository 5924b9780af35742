package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.endure.Verifier.Counts;
import io.jcontainerd.endure.Verifier.Depth;
import io.jcontainerd.endure.Verifier.End;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Kills the daemon at random moments while it works, and looks at it each time. */
final class Kill {
  private static final int PULLERS = 3;
  private static final int ROUNDS_BETWEEN_LOOKS = 10;
  private static final int ROUNDS_BETWEEN_LINES = 25;
  private static final Duration IDLE = Duration.ofMinutes(5);
  private static final Duration LONGEST_LOAD = Duration.ofSeconds(3);
  private static final int LONGEST_REST_MILLIS = 100;
  private static final int MOST_LINES = 200;
  private static final int LONGEST_START_MILLIS = 900;

  private final Path folder;
  private final DaemonProcess daemon;
  private final Model model;
  private final SplittableRandom random;
  private final Problems problems = new Problems();
  private final Gate gate = new Gate(PULLERS + 2);
  private final PrintStream out;
  private final String namespace;
  private final List<String> namespaces;
  private int kills;
  private int restarts;
  private int looks;
  private Counts counts = Counts.NONE;
  private int lost;

  /**
   * @param folder for all that stays
   * @param namespace of the containers
   */
  Kill(DaemonProcess daemon, Path folder, long seed, String namespace, PrintStream out) {
    this.daemon = daemon;
    this.folder = folder;
    this.model = new Model(seed);
    this.random = new SplittableRandom(seed);
    this.namespace = namespace;
    this.namespaces = List.of("one", "two", namespace);
    this.out = out;
  }

  /** Kills it so many times; returns whether all was as promised each time. */
  boolean run(int times) throws IOException, InterruptedException {
    long began = System.nanoTime();
    Path mounts = folder.resolve("mounts");
    Mounter mounter = new Mounter(new LinuxKernel(mounts), mounts);
    try (Ledger ledger = Ledger.open(folder.resolve("ledger"))) {
      ledger.note("seed " + model.seed());
      Tools tools = new Tools(model, gate, ledger, problems, mounter);
      Models.prepare(model, PULLERS, true);
      List<Thread> threads = new ArrayList<>();
      workers(tools)
          .forEach(worker -> threads.add(Thread.ofPlatform().name(worker.name()).start(worker)));
      daemon.launch();
      Containerd client = daemon.awaitReady();
      try {
        while (kills < times && problems.count() == 0) {
          client = round(client, tools, times);
          if (restarts % ROUNDS_BETWEEN_LINES == 0) {
            out.println(line(began));
          }
        }
        clear(client);
      } finally {
        gate.close();
        for (Thread thread : threads) {
          thread.join(IDLE);
        }
        client.close();
        daemon.stop();
      }
    }
    out.println(line(began));
    problems.all().forEach(problem -> out.println("  " + problem));
    return problems.count() == 0;
  }

  private List<Worker> workers(Tools tools) {
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < PULLERS; i++) {
      workers.add(new Puller(i, 0, tools));
    }
    workers.add(new Writer(0, tools));
    workers.add(new Runner(namespace, tools));
    return workers;
  }

  private Containerd round(Containerd client, Tools tools, int times)
      throws IOException, InterruptedException {
    boolean look = kills + 1 == times || (restarts + 1) % ROUNDS_BETWEEN_LOOKS == 0;
    gate.open(client, false);
    load(tools.ledger());
    gate.over();
    kill();
    if (!gate.awaitIdle(IDLE)) {
      problems.add("clients of a daemon that is dead wait for it still");
      return client;
    }
    client.close();
    daemon.launch();
    while (kills + 1 < times && random.nextInt(8) == 0) {
      Thread.sleep(random.nextInt(LONGEST_START_MILLIS));
      kill();
      daemon.launch();
    }
    Containerd next = daemon.awaitReady();
    restarts++;
    Verifier verifier = new Verifier(next, namespaces, tools, End.KILL);
    counts = counts.plus(verifier.verify(look ? Depth.ALL : Depth.SOME_LEAVES));
    lost += verifier.lost();
    if (look && problems.count() == 0) {
      looks++;
      gate.open(next, true);
      problems.unless(gate.awaitIdle(IDLE), "what was begun does not come to its end");
      if (problems.count() == 0) {
        new Remains(next, namespaces, tools, daemon).look();
      }
      gate.over();
    }
    daemon.errors().forEach(problems::add);
    return next;
  }

  /** Lets clients work for a while that is measured by what they have done, and a little longer. */
  private void load(Ledger ledger) throws InterruptedException {
    long until = ledger.lines() + random.nextInt(MOST_LINES);
    long deadline = System.nanoTime() + LONGEST_LOAD.toNanos();
    while (ledger.lines() < until && System.nanoTime() < deadline && problems.count() == 0) {
      Thread.sleep(5);
    }
    Thread.sleep(random.nextInt(LONGEST_REST_MILLIS));
  }

  private void kill() throws IOException, InterruptedException {
    kills++;
    daemon.kill();
  }

  /** Ends the containers that still run, so that they do not outlive a run, a failed one either. */
  private void clear(Containerd client) throws InterruptedException {
    Containerd own = client.in(namespace);
    try {
      for (Container container : own.containers().list(List.of())) {
        own.task(container.id()).destroy();
        own.deleteContainer(container.id());
      }
    } catch (ContainerdException e) {
      problems.add("containers cannot be removed: " + e.getMessage());
    }
  }

  private String line(long began) {
    return ("%d kills, %d restarts, %d looks for remains, verified: %d images, %d blobs,"
            + " %d snapshots, %d files, %d containers; lost as allowed: %d layers;"
            + " failures %d, seed %d, in %d s")
        .formatted(
            kills,
            restarts,
            looks,
            counts.images(),
            counts.blobs(),
            counts.snapshots(),
            counts.files(),
            counts.containers(),
            lost,
            problems.count(),
            model.seed(),
            Duration.ofNanos(System.nanoTime() - began).toSeconds());
  }
}
