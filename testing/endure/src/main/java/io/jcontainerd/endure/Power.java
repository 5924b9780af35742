package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
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
import java.util.concurrent.ThreadLocalRandom;

/** Two halves of a power cut: the load before, the look after. What cuts the power is not here. */
final class Power {
  private static final int PULLERS = 3;
  private static final List<String> NAMESPACES = List.of("one", "two");
  private static final Duration IDLE = Duration.ofMinutes(5);
  private static final String SEED = "seed ";
  private static final String FAILURE = "failure ";

  private final DaemonProcess daemon;
  private final Path ledgerFile;
  private final PrintStream out;
  private final Problems problems = new Problems();
  private final Gate gate = new Gate(PULLERS + 1);
  private final Mounter mounter;

  Power(DaemonProcess daemon, Path ledgerFile, PrintStream out) {
    this.daemon = daemon;
    this.ledgerFile = ledgerFile;
    this.out = out;
    Path mounts = daemon.run().resolve("mounts");
    this.mounter = new Mounter(new LinuxKernel(mounts), mounts);
  }

  private static Model model(Ledger ledger) {
    List<String> seeds = ledger.notes(SEED);
    if (seeds.isEmpty()) {
      long seed = ThreadLocalRandom.current().nextInt(1_000_000);
      ledger.note(SEED + seed);
      return new Model(seed);
    }
    return new Model(Long.parseLong(seeds.getFirst()));
  }

  /** Loads a daemon until something fails that should not, or the machine is no more. */
  boolean load() throws IOException, InterruptedException {
    try (Ledger ledger = Ledger.open(ledgerFile)) {
      Model model = model(ledger);
      ledger.note("load");
      Tools tools = new Tools(model, gate, ledger, problems, mounter);
      daemon.launch();
      try (Containerd client = daemon.awaitReady()) {
        start(tools, ledger.notes("load").size());
        gate.open(client, false);
        out.println("loading, seed " + model.seed());
        while (problems.count() == 0) {
          Thread.sleep(200);
        }
      } finally {
        gate.close();
        daemon.kill();
      }
    }
    problems.all().forEach(out::println);
    return false;
  }

  private List<Thread> start(Tools tools, long salt) {
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < PULLERS; i++) {
      workers.add(new Puller(i, salt, tools));
    }
    workers.add(new Writer(salt, tools));
    List<Thread> threads = new ArrayList<>();
    workers.forEach(
        worker -> threads.add(Thread.ofPlatform().daemon().name(worker.name()).start(worker)));
    return threads;
  }

  /**
   * Starts a daemon on what the cut left and looks at it; then lets the clients do again what was
   * begun, and looks for what nobody keeps.
   */
  boolean verify() throws IOException, InterruptedException {
    long began = System.nanoTime();
    Counts counts;
    int lost;
    try (Ledger ledger = Ledger.open(ledgerFile)) {
      Model model = model(ledger);
      Models.prepare(model, PULLERS, false);
      ledger.notes(FAILURE).forEach(failure -> problems.add("under load: " + failure));
      Tools tools = new Tools(model, gate, ledger, problems, mounter);
      daemon.launch();
      try (Containerd client = daemon.awaitReady()) {
        Verifier verifier = new Verifier(client, NAMESPACES, tools, End.POWER_CUT);
        counts = verifier.verify(Depth.ALL);
        lost = verifier.lost();
        if (problems.count() == 0) {
          start(tools, -1);
          gate.open(client, true);
          problems.unless(gate.awaitIdle(IDLE), "what was begun does not come to its end");
          if (problems.count() == 0) {
            new Remains(client, NAMESPACES, tools, daemon).look();
          }
          gate.close();
        }
        daemon.errors().forEach(problems::add);
      } finally {
        daemon.stop();
      }
      ledger.note("verified");
    }
    Ground.delete(daemon.run()); // as a reboot would
    out.printf(
        "verified: %d images, %d blobs, %d snapshots, %d files; lost as allowed: %d layers;"
            + " failures %d, in %d s%n",
        counts.images(),
        counts.blobs(),
        counts.snapshots(),
        counts.files(),
        lost,
        problems.count(),
        Duration.ofNanos(System.nanoTime() - began).toSeconds());
    problems.all().forEach(problem -> out.println("  " + problem));
    return problems.count() == 0;
  }
}
