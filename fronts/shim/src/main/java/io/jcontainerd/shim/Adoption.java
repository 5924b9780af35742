package io.jcontainerd.shim;

import io.jcontainerd.linux.cgroup.ContainerCgroup;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Takes over what an earlier host left: processes that still run are followed by their pidfd, those
 * that ended meanwhile are reported with the status 255 (nobody knows it any more), exits that were
 * recorded but not told are told. Containers whose creation was cut short, or whose bundle the
 * daemon has removed, are removed. Terminals are lost with the earlier host.
 */
final class Adoption {
  private static final System.Logger LOG = System.getLogger(Adoption.class.getName());

  private static final Duration KILLED = Duration.ofSeconds(10);

  private final HostServices host;
  private final Supervisor supervisor;
  private final Clock clock;

  Adoption(HostServices host, Supervisor supervisor, Clock clock) {
    this.host = host;
    this.supervisor = supervisor;
    this.clock = clock;
  }

  /**
   * Takes over everything recorded; what fails with one container does not keep the others back.
   */
  void run() throws IOException, InterruptedException {
    takeOver(false);
  }

  /**
   * Takes over everything recorded and begins to remove it, for a daemon that has given it up with
   * the earlier host. Nothing is told of it.
   */
  void removeAll() throws IOException, InterruptedException {
    takeOver(true);
    new Removal(supervisor).begin(supervisor.all());
  }

  private void takeOver(boolean givenUp) throws IOException, InterruptedException {
    List<ContainerRecord> records = withoutDeleted(host.store().all());
    if (!records.isEmpty()) {
      Set<Path> places = new HashSet<>(Set.of(host.store().scratch()));
      records.forEach(record -> places.add(record.bundle()));
      new LeftCommands(host.children()).end(places);
    }
    for (ContainerRecord record : records) {
      try {
        if (!record.created()) {
          remove(record);
        } else if (Files.isDirectory(record.bundle())) {
          adopt(record, givenUp);
        } else {
          drop(record);
        }
      } catch (IOException | RuntimeException e) {
        LOG.log(
            Level.ERROR,
            "container "
                + record.id()
                + " of namespace "
                + record.namespace()
                + " is not taken over",
            e);
      }
    }
  }

  /**
   * Of a container of which the deletion was told nothing is left but its record. To be called
   * before anything is told, for the number of an event that did not come about is the next one's.
   */
  private List<ContainerRecord> withoutDeleted(List<ContainerRecord> records) {
    List<ContainerRecord> left = new ArrayList<>();
    for (ContainerRecord record : records) {
      boolean told = record.deletion().filter(host.events()::wasTold).isPresent();
      if (!told) {
        left.add(record.undeleted());
      }
      try {
        if (told) {
          host.store().delete(record.namespace(), record.id());
          LOG.log(Level.INFO, "container {0}: it was deleted; its record is removed", record.id());
        } else if (record.deletion().isPresent()) {
          host.store().save(record.undeleted());
        }
      } catch (IOException e) {
        LOG.log(Level.ERROR, "container " + record.id() + ": cannot change its record", e);
      }
    }
    return left;
  }

  /** A creation that was cut short: its client got no answer, so nothing may be left. */
  private void remove(ContainerRecord record) throws IOException, InterruptedException {
    OciRuntime runtime = host.runtime(record.options(), record.id(), record.bundle());
    if (Files.isDirectory(record.bundle())) {
      try {
        runtime.delete(true);
      } catch (OciRuntimeException e) {
        if (!e.isGone()) {
          LOG.log(Level.WARNING, "container {0}: {1}", record.id(), e.getMessage());
        }
      }
      if (record.rootMounted()) {
        host.kernel().detachAll(record.bundle().resolve("rootfs"));
      }
    } else {
      new RuntimeRemains(host).remove(record);
    }
    host.store().delete(record.namespace(), record.id());
    LOG.log(Level.INFO, "container {0}: its creation was cut short; removed", record.id());
  }

  /** The daemon has given it up and removed its bundle: nobody will ask for it any more. */
  private void drop(ContainerRecord record) throws IOException, InterruptedException {
    List<ContainerRecord.ProcessRecord> processes = new ArrayList<>(record.execs());
    processes.add(record.init());
    List<Child> killed = new ArrayList<>();
    for (ContainerRecord.ProcessRecord process : processes) {
      if (process.identity().isPresent()) {
        Optional<Child> running = host.children().adopt(process.identity().get());
        if (running.isPresent()) {
          running.get().signal(Signals.KILL);
          killed.add(running.get());
        }
      }
    }
    for (Child process : killed) {
      if (process.await(KILLED).isEmpty()) {
        LOG.log(
            Level.WARNING,
            "container {0}: process {1} does not end though it was killed",
            record.id(),
            Integer.toString(process.pid()));
      }
    }
    new RuntimeRemains(host).remove(record);
    host.store().delete(record.namespace(), record.id());
    LOG.log(Level.WARNING, "container {0}: its bundle is gone; given up", record.id());
  }

  /** A process of which the exit has to be dealt with after all are taken in. */
  private record Due(ContainerProcess process, ExitStatus exit) {}

  private void adopt(ContainerRecord record, boolean givenUp)
      throws IOException, InterruptedException {
    OciRuntime runtime = host.runtime(record.options(), record.id(), record.bundle());
    ContainerProcess init = process(record, record.init());
    Container container =
        new Container(record.namespace(), record.id(), record.bundle(), runtime, init);
    container.rootMounted = record.rootMounted();
    container.killAllOnExit = record.killAllOnExit();
    container.checkpoint = record.checkpoint();
    container.givenUp = givenUp;
    List<Due> due = new ArrayList<>();
    List<Child> alive = new ArrayList<>();
    List<ContainerProcess> followed = new ArrayList<>();
    for (ContainerRecord.ProcessRecord exec : record.execs()) {
      ContainerProcess process = process(record, exec);
      if (exec.starting() && exec.identity().isEmpty()) {
        process.phase = Phase.CREATED; // whether it began is unknown, and its client has no answer
      }
      take(process, exec, due, alive, followed);
      container.adopt(process);
    }
    take(init, record.init(), due, alive, followed);
    if (init.phase != Phase.STOPPED && !alive.isEmpty() && followed.contains(init)) {
      settle(container, record.init());
      Optional<ContainerCgroup> cgroup = ContainerCgroup.of(init.pid());
      if (cgroup.isPresent()) {
        container.cgroup(cgroup.get());
        supervisor.watchMemory(container, cgroup.get());
      }
    }
    if (container.awaitsRestore() && record.init().starting()) {
      forgetRestore(container);
    }
    supervisor.adopt(container);
    for (int i = 0; i < followed.size(); i++) {
      supervisor.exits().follow(container, followed.get(i), alive.get(i));
    }
    for (Due exit : due) { // execs first, as they were taken
      supervisor.exits().arrived(container, exit.process(), exit.exit());
    }
    supervisor.exits().record(container);
    LOG.log(
        Level.INFO,
        "container {0} of namespace {1} taken over, {2}",
        record.id(),
        record.namespace(),
        container.phase(init));
  }

  /** A restore that was cut short: its client got no answer, and may ask again. */
  private static void forgetRestore(Container container) throws IOException, InterruptedException {
    try {
      container.runtime().delete(true);
    } catch (OciRuntimeException e) {
      if (!e.isGone()) {
        LOG.log(Level.WARNING, "container {0}: {1}", container.id(), e.getMessage());
      }
    }
  }

  private static ContainerProcess process(
      ContainerRecord container, ContainerRecord.ProcessRecord record) {
    ContainerProcess process =
        new ContainerProcess(container.id(), record.execId(), record.stdio(), record.spec());
    process.phase = record.phase();
    process.identity = record.identity().orElse(null);
    process.exit = record.exit().orElse(null);
    process.exitPublished = record.exitPublished();
    process.stdinClosed = record.stdinClosed();
    return process;
  }

  private void take(
      ContainerProcess process,
      ContainerRecord.ProcessRecord record,
      List<Due> due,
      List<Child> alive,
      List<ContainerProcess> followed)
      throws IOException {
    if (record.identity().isEmpty()) {
      return; // never began
    }
    if (record.phase() == Phase.STOPPED) {
      ExitStatus exit =
          record.exit().orElseGet(() -> new ExitStatus(ExitStatus.UNKNOWN, clock.instant()));
      if (record.exitPublished()) {
        process.exited().complete(exit);
      } else {
        if (!process.isInit()) {
          process.phase = Phase.RUNNING; // so that it counts until its exit is told
        }
        due.add(new Due(process, exit));
      }
      return;
    }
    Optional<Child> child = host.children().adopt(record.identity().get());
    if (child.isEmpty()) {
      due.add(new Due(process, new ExitStatus(ExitStatus.UNKNOWN, clock.instant())));
      return;
    }
    process.child = child.get();
    process.io = host.streams().reopen(record.stdio(), record.stdinClosed());
    alive.add(child.get());
    followed.add(process);
    if (!process.isInit() && process.phase == Phase.CREATED) {
      process.phase = Phase.RUNNING;
    }
  }

  /**
   * Where the record was written in the middle of a step, the runtime knows which side it is on.
   */
  private static void settle(Container container, ContainerRecord.ProcessRecord record)
      throws IOException, InterruptedException {
    ContainerProcess init = container.init();
    if (!record.starting() && record.phase() != Phase.PAUSING && record.phase() != Phase.PAUSED) {
      return;
    }
    try {
      init.phase =
          switch (container.runtime().state()) {
            case "created" -> Phase.CREATED;
            case "paused" -> Phase.PAUSED;
            default -> Phase.RUNNING;
          };
    } catch (OciRuntimeException e) {
      LOG.log(Level.WARNING, "container {0}: {1}", container.id(), e.getMessage());
      var _ = init.child != null && init.child.signal(Signals.KILL);
      init.phase = Phase.RUNNING;
    }
  }
}
