package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.linux.cgroup.AttachLock;
import io.jcontainerd.linux.cgroup.OomWatcher;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints and containers made of them. The runtime is a script that notes how it is called and
 * whose container is a sleeping process; with a file named {@code fail} it fails as CRIU does.
 */
@Timeout(180)
class RestoreTest {
  private static final int KILL = 9;

  @TempDir Path folder;
  private Reactor reactor;
  private EventPublisher publisher;
  private EventSink events;
  private StateStore store;
  private Supervisor supervisor;
  private HostServices host;
  private Path bundle;
  private Path images;

  @BeforeEach
  void open() throws Exception {
    reactor = Reactor.start("restore-test");
    events = new EventSink(folder.resolve("events.sock"));
    publisher =
        EventPublisher.start(
            EventJournal.open(folder.resolve("events")),
            folder.resolve("events.sock"),
            Clock.systemUTC());
    store = StateStore.open(Files.createDirectory(folder.resolve("state")));
    host = services("PATH=" + System.getenv("PATH"));
    supervisor = new Supervisor(host);
    Path script = folder.resolve("runc");
    Files.writeString(
        script,
        """
        #!/bin/sh
        all="$*"
        echo "${all#*--log-format json }" >> "$TOP/calls"
        after=${all#*--work-path }
        work=${after%% *}
        after=${all#*--log }
        said=${after%% *}
        case "$all" in
        *" create "* | *" restore "*)
          sleep 1000 > /dev/null 2>&1 &
          echo $! >> "$TOP/pids"
          after=${all#*--pid-file }
          echo $! > "${after%% *}" ;;
        esac
        case "$all" in
        *" restore "* | *" checkpoint "*)
          if [ -e "$TOP/fail" ]; then
            for log in dump restore; do
              printf '(00.1) fine\n(00.2) Error (criu/x.c:1): one\n' > "$work/$log.log"
              printf '(00.3) Error (criu/x.c:2): two\n' >> "$work/$log.log"
            done
            printf '%s\\n' '{"level":"error","msg":"criu failed\\nlog file: /gone"}' > "$said"
            exit 1
          fi
          if [ -e "$TOP/without" ]; then
            printf '%s\\n' '{"level":"error","msg":"no criu"}' > "$said"
            exit 1
          fi ;;
        esac
        """);
    assertThat(script.toFile().setExecutable(true)).isTrue();
    bundle = Files.createDirectory(folder.resolve("bundle"));
    images = Files.createDirectory(folder.resolve("images"));
    Files.write(
        bundle.resolve("config.json"),
        new Spec(JsonObject.EMPTY.with("ociVersion", "1.0.0")).toBytes());
  }

  private HostServices services(String path) throws IOException {
    Children children = new Children(reactor, Clock.systemUTC());
    ProgramRunner runner = new ProgramRunner(reactor, children);
    List<String> environment = List.of(path, "TOP=" + folder);
    return new HostServices(
        children,
        runner,
        environment,
        new StreamOpener(children, reactor, reactor, folder),
        new TaskEvents(publisher),
        store,
        new InMemoryKernel(new InMemoryFiles()),
        new RuntimeTurns(),
        new RuntimeCopies(runner, environment, System.getenv("PATH")),
        new RuntimeVersions(runner, environment),
        new SpecPreparation(HostLimits.read()),
        new OomWatcher(reactor),
        AttachLock.ofThisProcess());
  }

  @AfterEach
  void close() throws Exception {
    if (Files.exists(folder.resolve("pids"))) {
      for (String pid : Files.readAllLines(folder.resolve("pids"))) {
        ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
    publisher.close();
    events.close();
    reactor.close();
  }

  private Container create(String checkpoint, String criuWorkPath) throws Exception {
    return supervisor.create(
        new Supervisor.Creation(
            "ns",
            "box",
            bundle,
            List.of(),
            new Stdio("", "", "", false),
            new RuntimeOptions(
                folder.resolve("runc").toString(),
                folder.resolve("root"),
                false,
                true,
                false,
                0,
                0,
                criuWorkPath),
            checkpoint));
  }

  private List<String> calls() throws IOException {
    Path calls = folder.resolve("calls");
    return Files.exists(calls)
        ? Files.readAllLines(calls).stream().filter(call -> !call.endsWith("--version")).toList()
        : List.of();
  }

  private void touch(String name) throws IOException {
    Files.createFile(folder.resolve(name));
  }

  @Test
  void a_container_from_a_checkpoint_begins_with_its_start() throws Exception {
    Container container = create(images.toString(), "");
    assertThat(container.init().pid()).isZero();
    assertThat(container.phase(container.init())).isEqualTo(Phase.CREATED);
    assertThat(calls()).isEmpty();

    int pid = supervisor.start(container, "");

    assertThat(Files.readAllLines(folder.resolve("pids"))).containsExactly(Integer.toString(pid));
    assertThat(container.phase(container.init())).isEqualTo(Phase.RUNNING);
    assertThat(calls())
        .containsExactly(
            "restore --detach --image-path "
                + images
                + " --work-path "
                + bundle.resolve("criu-work")
                + " --bundle "
                + bundle
                + " --pid-file "
                + bundle.resolve("init.pid")
                + " --no-pivot box");
    assertThat(bundle.resolve("criu-work")).doesNotExist();
    assertThat(container.cgroup()).isPresent();

    supervisor.control().kill(container, "", KILL, false);
    assertThat(container.init().exited().get(60, TimeUnit.SECONDS).code()).isEqualTo(137);
    assertThat(supervisor.delete(container, "").pid()).isEqualTo(pid);
    assertThat(events.awaitTopic("box", "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void a_failed_restore_leaves_no_process_and_can_be_tried_again() throws Exception {
    Container container = create(images.toString(), "");
    touch("fail");
    assertThatThrownBy(() -> supervisor.start(container, ""))
        .isInstanceOf(OciRuntimeException.class)
        .hasMessage(
            "OCI runtime restore failed: criu failed: (00.2) Error (criu/x.c:1): one; (00.3) Error"
                + " (criu/x.c:2): two (log: "
                + bundle.resolve("criu-restore.log")
                + ")");
    assertThat(calls()).last().isEqualTo("delete --force box");
    assertThat(container.init().pid()).isZero();
    assertThat(container.phase(container.init())).isEqualTo(Phase.CREATED);
    assertThat(bundle.resolve("criu-work")).doesNotExist();

    Files.delete(folder.resolve("fail"));
    assertThat(supervisor.start(container, "")).isPositive();
  }

  @Test
  void one_that_was_never_restored_is_deleted_like_one_that_never_began() throws Exception {
    Container container = create(images.toString(), "");
    assertThatThrownBy(() -> supervisor.control().kill(container, "", KILL, true))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(
            () -> supervisor.exec(container, "e", new Stdio("", "", "", false), JsonObject.EMPTY))
        .isInstanceOf(UnknownException.class);
    assertThat(supervisor.delete(container, "").exit().orElseThrow().code()).isEqualTo(137);
    assertThat(supervisor.count()).isZero();
    assertThat(events.awaitTopic("box", "delete")).containsExactly("create", "exit", "delete");
    assertThat(store.all()).isEmpty();
  }

  @Test
  void a_later_host_restores_what_an_earlier_one_has_made() throws Exception {
    var _ = create(images.toString(), "");
    host = services("PATH=" + System.getenv("PATH"));
    supervisor = new Supervisor(host);
    new Adoption(host, supervisor, Clock.systemUTC()).run();
    assertThat(supervisor.start(supervisor.get("ns", "box"), "")).isPositive();
    assertThat(calls()).last().asString().startsWith("restore ");
  }

  @Test
  void a_restore_that_a_host_did_not_live_to_see_is_undone_by_the_next() throws Exception {
    Container container = create(images.toString(), "");
    container.startBegins(container.init());
    supervisor.exits().record(container);
    host = services("PATH=" + System.getenv("PATH"));
    supervisor = new Supervisor(host);
    new Adoption(host, supervisor, Clock.systemUTC()).run();
    assertThat(calls()).containsExactly("delete --force box");
    assertThat(supervisor.start(supervisor.get("ns", "box"), "")).isPositive();
  }

  @Test
  void a_folder_that_is_not_there_makes_no_container() {
    assertThatThrownBy(() -> create(folder.resolve("none").toString(), ""))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(supervisor.count()).isZero();
  }

  @Test
  void a_named_work_folder_stays_and_the_usual_one_goes() throws Exception {
    Path named = folder.resolve("named");
    Container container = create("", "");
    supervisor.start(container, "");
    supervisor
        .control()
        .checkpoint(
            container,
            new ContainerControl.Checkpointing(
                images, named.toString(), List.of("--leave-running")));
    assertThat(calls())
        .last()
        .isEqualTo(
            "checkpoint --image-path " + images + " --work-path " + named + " --leave-running box");
    assertThat(named).exists();

    touch("fail");
    assertThatThrownBy(
            () ->
                supervisor
                    .control()
                    .checkpoint(
                        container, new ContainerControl.Checkpointing(images, "", List.of())))
        .isInstanceOf(OciRuntimeException.class)
        .hasMessageContaining("two (log: " + bundle.resolve("criu-dump.log"));
    assertThat(bundle.resolve("criu-work")).doesNotExist();
    assertThat(bundle.resolve("criu-dump.log")).exists();
  }

  @Test
  void without_criu_the_failure_says_what_to_install() throws Exception {
    supervisor = new Supervisor(services("PATH=" + path("sh", "sleep", "touch")));
    Container container = create(images.toString(), folder.resolve("configured").toString());
    touch("without");
    assertThatThrownBy(() -> supervisor.start(container, ""))
        .isInstanceOf(OciRuntimeException.class)
        .hasMessage(
            "OCI runtime restore failed: no criu: restore needs the program criu, which is not on"
                + " the PATH of the shim: install the package criu");
    assertThat(calls().getFirst())
        .contains("--work-path " + folder.resolve("configured/criu-work") + " ");
  }

  /** A PATH with these programs alone. */
  private String path(String... programs) throws IOException {
    Path only = Files.createDirectory(folder.resolve("only"));
    for (String program : programs) {
      Files.createSymbolicLink(only.resolve(program), Path.of("/bin", program));
    }
    return only.toString();
  }
}
