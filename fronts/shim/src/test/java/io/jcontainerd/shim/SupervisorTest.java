package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.types.Mount;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.cgroup.AttachLock;
import io.jcontainerd.linux.cgroup.CgroupV1;
import io.jcontainerd.linux.cgroup.OomWatcher;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Orders that real containers would show only now and then. The runtime is a script whose container
 * is a sleeping process, and whoever holds the journal's monitor holds up every event.
 */
@Timeout(180)
class SupervisorTest {
  private static final Stdio NONE = new Stdio("", "", "", false);
  private static final int KILL = 9;

  /** What another thread or process does, on a machine that has much else to do. */
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path folder;
  private Reactor reactor;
  private EventJournal journal;
  private EventPublisher publisher;
  private EventSink events;
  private final InMemoryFiles files = new InMemoryFiles();
  private final InMemoryKernel kernel = new InMemoryKernel(files);
  private final AtomicInteger detached = new AtomicInteger();
  private volatile Runnable beforeMount = () -> {};
  private volatile Runnable beforeUnmount = () -> {};
  private Children children;
  private Supervisor supervisor;
  private Container container;

  @BeforeEach
  void open() throws Exception {
    reactor = Reactor.start("supervisor-test");
    events = new EventSink(folder.resolve("events.sock"));
    children = new Children(reactor, Clock.systemUTC());
    journal = EventJournal.open(folder.resolve("events"));
    publisher = EventPublisher.start(journal, folder.resolve("events.sock"), Clock.systemUTC());
    supervisor = new Supervisor(host(publisher));
    Path script = folder.resolve("crun");
    Files.writeString(
        script,
        """
        #!/bin/sh
        all="$*"
        case "$all" in
        *" create "*)
          sleep 1000 > /dev/null 2>&1 &
          echo $! > "$TOP/pid"
          echo $! >> "$TOP/pids"
          after=${all#*--pid-file }
          echo $! > "${after%% *}" ;;
        *" exec "*)
          setsid sleep 1000 < /dev/null > /dev/null 2>&1 &
          echo $! >> "$TOP/pids"
          until grep -q sleep /proc/$!/comm; do sleep 0.02; done
          after=${all#*--pid-file }
          echo $! > "${after%% *}"
          echo $! > "$TOP/begun"
          mv "$TOP/begun" "$TOP/exec"
          while :; do sleep 0.02; done ;;
        *" pause "*)
          kill -9 $(cat "$TOP/pid")
          while [ ! -e "$TOP/go" ]; do sleep 0.02; done ;;
        *" delete "*)
          touch "$TOP/deleted" ;;
        esac
        """);
    assertThat(script.toFile().setExecutable(true)).isTrue();
    Path bundle = Files.createDirectory(folder.resolve("bundle"));
    Files.write(
        bundle.resolve("config.json"),
        new Spec(JsonObject.EMPTY.with("ociVersion", "1.0.2")).toBytes());
    container = supervisor.create(creation("box", bundle, List.of()));
    supervisor.start(container, "");
  }

  /** What a host has, from the folders that an earlier one may have left. */
  private HostServices host(EventPublisher publisher) throws Exception {
    ProgramRunner runner = new ProgramRunner(reactor, children);
    List<String> environment = List.of("PATH=" + System.getenv("PATH"), "TOP=" + folder);
    return new HostServices(
        children,
        runner,
        environment,
        new StreamOpener(children, reactor, reactor, folder),
        new TaskEvents(publisher),
        StateStore.open(Files.createDirectories(folder.resolve("state"))),
        watchedKernel(),
        new RuntimeTurns(),
        new RuntimeCopies(runner, environment, System.getenv("PATH")),
        new RuntimeVersions(runner, environment),
        new SpecPreparation(HostLimits.read()),
        new OomWatcher(reactor),
        AttachLock.ofThisProcess());
  }

  /** What a next host takes over. */
  private Supervisor takenOver() throws Exception {
    publisher.close();
    journal = EventJournal.open(folder.resolve("events"));
    publisher = EventPublisher.start(journal, folder.resolve("events.sock"), Clock.systemUTC());
    HostServices host = host(publisher);
    Supervisor next = new Supervisor(host);
    new Adoption(host, next, Clock.systemUTC()).run();
    return next;
  }

  /** The kernel, whose mounts can be made to hang, without anything of it being held. */
  private Kernel watchedKernel() {
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (_, method, arguments) -> {
              switch (method.getName()) {
                case "mount" -> beforeMount.run();
                case "detachAll" -> detached.incrementAndGet();
                case "unmountAll" -> beforeUnmount.run();
                default -> {}
              }
              try {
                return method.invoke(kernel, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private Supervisor.Creation creation(String id, Path bundle, List<Mount> rootfs) {
    String script = folder.resolve("crun").toString();
    return new Supervisor.Creation(
        "ns",
        id,
        bundle,
        rootfs,
        NONE,
        new RuntimeOptions(script, folder.resolve("root"), false, false, false, 0, 0, ""),
        "");
  }

  @AfterEach
  void close() throws Exception {
    for (String pid : Files.readAllLines(folder.resolve("pids"))) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
    }
    publisher.close();
    events.close();
    reactor.close();
  }

  private static <T> FutureTask<T> inBackground(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  private static boolean within(Duration limit, BooleanSupplier condition) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        return false;
      }
      java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
    }
    return true;
  }

  @Test
  void a_container_counts_until_its_deletion_was_told() throws Exception {
    supervisor.control().kill(container, "", KILL, false);
    container.init().exited().get(60, TimeUnit.SECONDS);
    FutureTask<Supervisor.Deleted> deleting;
    synchronized (journal) {
      deleting = inBackground(() -> supervisor.delete(container, ""));
      assertThat(within(SOON, () -> Files.exists(folder.resolve("deleted")))).isTrue();
      assertThat(within(Duration.ofMillis(500), () -> !Files.exists(record())))
          .as("forgotten before it was told")
          .isFalse();
      assertThat(supervisor.count()).isEqualTo(1);
    }
    deleting.get();
    assertThat(record()).doesNotExist();
    assertThat(supervisor.count()).isZero();
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  private Path record() {
    return folder.resolve("state/containers/ns/box.json");
  }

  private ExitStatus killed() throws Exception {
    supervisor.control().kill(container, "", KILL, false);
    return container.init().exited().get(60, TimeUnit.SECONDS);
  }

  @Test
  void a_deletion_that_a_host_told_before_it_died_is_not_told_again() throws Exception {
    supervisor.exits().tellDeletion(container, killed());
    assertThat(record()).exists();
    Supervisor next = takenOver();
    assertThat(next.all()).isEmpty();
    assertThat(record()).doesNotExist();
    assertThat(publisher.flush(SOON)).isTrue();
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void a_deletion_that_a_host_was_about_to_tell_when_it_died_is_told_once() throws Exception {
    ExitStatus _ = killed();
    supervisor.exits().deletionComes(container, new Event.Origin(journal.id(), 4));
    Supervisor next = takenOver();
    assertThat(next.all()).hasSize(1);
    assertThat(ContainerRecord.parse(Files.readAllBytes(record())).deletion())
        .as("now the number of another event")
        .isEmpty();
    assertThat(next.delete(next.get("ns", "box"), "").exit()).isPresent();
    assertThat(publisher.flush(SOON)).isTrue();
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
    assertThat(takenOver().all()).isEmpty();
  }

  @Test
  void nothing_is_deleted_before_the_exit_was_told() throws Exception {
    FutureTask<Supervisor.Deleted> deleting;
    synchronized (journal) {
      supervisor.control().kill(container, "", KILL, false);
      assertThat(within(SOON, () -> container.phase(container.init()) == Phase.STOPPED)).isTrue();
      deleting = inBackground(() -> supervisor.delete(container, ""));
      assertThat(within(Duration.ofMillis(500), () -> Files.exists(folder.resolve("deleted"))))
          .isFalse();
    }
    deleting.get();
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void a_container_that_ends_while_it_is_paused_is_not_told_to_be_paused() throws Exception {
    FutureTask<String> pausing =
        inBackground(
            () -> {
              supervisor.control().pause(container);
              return "";
            });
    container.init().exited().get(60, TimeUnit.SECONDS);
    Files.createFile(folder.resolve("go"));
    pausing.get();
    supervisor.delete(container, "");
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void the_helper_of_a_mount_is_left_to_whoever_waits_for_it() throws Exception {
    children.reapOrphans();
    AtomicBoolean left = new AtomicBoolean();
    kernel.refuse(
        _ -> {
          left.set(survivesOtherEnds());
          return false;
        });
    Path bundle = folder.resolve("bundle");
    files.createDirectories(bundle.resolve("rootfs"), 0755);
    supervisor.create(
        creation("mounted", bundle, List.of(Mount.newBuilder().setType("fuse3.x").build())));
    assertThat(left).isTrue();
  }

  @Test
  void a_mount_that_hangs_holds_up_nobody_who_gives_it_up_and_is_taken_away_when_it_comes()
      throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    beforeMount =
        () -> {
          entered.countDown();
          hang(release);
        };
    Path bundle = folder.resolve("bundle");
    files.createDirectories(bundle.resolve("rootfs"), 0755);
    var failure = new CompletableFuture<Throwable>();
    Thread creating =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    var _ =
                        supervisor.create(
                            creation(
                                "stuck",
                                bundle,
                                List.of(Mount.newBuilder().setType("nfs").build())));
                  } catch (Exception e) {
                    failure.complete(e);
                  }
                });
    assertThat(entered.await(60, TimeUnit.SECONDS)).isTrue();
    creating.interrupt();
    assertThat(failure.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertThat(supervisor.find("ns", "stuck")).isEmpty();
    assertThat(supervisor.count()).isEqualTo(1);
    assertThat(detached).as("by whoever undoes the creation").hasValue(1);
    release.countDown();
    assertThat(within(SOON, () -> detached.get() == 2 && kernel.mountTable().isEmpty())).isTrue();
  }

  @Test
  void whoever_asks_again_for_an_unmount_that_hangs_waits_for_that_one() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger begun = new AtomicInteger();
    beforeUnmount =
        () -> {
          begun.incrementAndGet();
          hang(release);
        };
    container.rootMounted = true;
    var roots = new RootMounts(watchedKernel(), children, Duration.ofMillis(100));
    try {
      for (int i = 0; i < 5; i++) {
        assertThatThrownBy(() -> roots.await(roots.unmounting(container), container))
            .isInstanceOf(DeadlineExceededException.class);
      }
      assertThat(within(SOON, () -> begun.get() > 0)).isTrue();
      assertThat(begun).hasValue(1);
    } finally {
      release.countDown();
    }
    Soon.until("it is unmounted", () -> isUnmounted(roots));
    container.rootMounted = false;
  }

  private boolean isUnmounted(RootMounts roots) throws IOException, InterruptedException {
    try {
      roots.await(roots.unmounting(container), container);
      return true;
    } catch (DeadlineExceededException e) {
      return false;
    }
  }

  private static void hang(CountDownLatch release) {
    boolean interrupted = false;
    while (release.getCount() > 0) { // as a system call does
      try {
        release.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a child of ours that has ended is still there after the end of another one. */
  private boolean survivesOtherEnds() {
    try {
      int helper = Program.of("/bin/true", List.of(), List.of()).start();
      Path stat = Path.of("/proc/" + helper + "/stat");
      assertThat(within(SOON, () -> isZombie(stat))).isTrue();
      children.spawn(Program.of("/bin/true", List.of(), List.of())).await(SOON);
      CountDownLatch turn = new CountDownLatch(1);
      reactor.execute(turn::countDown);
      assertThat(turn.await(60, TimeUnit.SECONDS)).isTrue();
      return Files.exists(stat);
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean isZombie(Path stat) {
    try {
      return Files.readString(stat).contains(") Z ");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_container_whose_memory_cannot_be_watched_is_none_the_worse() throws IOException {
    Path group = folder.resolve("group");
    Files.createDirectories(group.resolve("cgroup.event_control")); // nothing can be written to it
    Files.createFile(group.resolve("memory.oom_control"));
    assertThatCode(() -> supervisor.watchMemory(container, new CgroupV1(Map.of("memory", group))))
        .doesNotThrowAnyException();
  }

  @Test
  void an_exec_that_is_cancelled_leaves_no_process_behind() throws Exception {
    supervisor.exec(container, "more", NONE, JsonObject.EMPTY);
    var failure = new CompletableFuture<Throwable>();
    Thread starting =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    failure.completeExceptionally(
                        new AssertionError("pid " + supervisor.start(container, "more")));
                  } catch (Exception e) {
                    failure.complete(e);
                  }
                });
    Path begun = folder.resolve("exec");
    assertThat(within(SOON, () -> Files.exists(begun))).isTrue();
    Path left = Path.of("/proc/" + Files.readString(begun).strip() + "/stat");
    assertThat(Files.exists(left)).isTrue();
    starting.interrupt();
    assertThat(failure.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertThat(within(SOON, () -> isGone(left))).isTrue();
  }

  private static boolean isGone(Path stat) {
    try {
      return Files.readString(stat).contains(") Z ");
    } catch (IOException e) {
      return true; // collected
    }
  }

  @Test
  void a_mount_that_never_returns_keeps_no_orphans_for_ever() throws Exception {
    children.reapOrphans();
    CountDownLatch release = new CountDownLatch(1);
    beforeMount = () -> hang(release);
    var roots = new RootMounts(watchedKernel(), children, Duration.ofMillis(200));
    try {
      assertThatThrownBy(() -> roots.mount(container, List.of()))
          .isInstanceOf(DeadlineExceededException.class);
      int orphan = Program.of("/bin/true", List.of(), List.of()).start();
      Path stat = Path.of("/proc/" + orphan + "/stat");
      assertThat(within(SOON, () -> !Files.exists(stat))).isTrue();
    } finally {
      release.countDown();
    }
  }
}
