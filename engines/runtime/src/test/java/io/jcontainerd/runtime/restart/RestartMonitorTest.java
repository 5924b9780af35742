package io.jcontainerd.runtime.restart;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import io.jcontainerd.testkit.memory.InMemoryNamespaceStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.testkit.time.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RestartMonitorTest {
  private static final String NS = "apps";
  private static final Duration INTERVAL = Duration.ofSeconds(10);
  private static final TypedValue PLAIN = spec("{}");

  private final VirtualTime time = new VirtualTime();
  private final InMemoryNamespaceStore namespaces = new InMemoryNamespaceStore();
  private final InMemoryContainerStore containers = new InMemoryContainerStore(time);
  private final InMemorySnapshotter overlayfs = new InMemorySnapshotter();
  private final ScriptedTasks tasks = new ScriptedTasks();
  private final RestartMonitor monitor =
      new RestartMonitor(
          namespaces,
          containers,
          Map.<String, Snapshotter>of("overlayfs", overlayfs),
          tasks,
          INTERVAL,
          time);

  private static TypedValue spec(String json) {
    return new TypedValue(Spec.TYPE_URL, json.getBytes(UTF_8));
  }

  @BeforeEach
  void a_namespace() {
    namespaces.create(new Namespace(NS, Map.of()));
  }

  @AfterEach
  void close() {
    monitor.close();
  }

  private static Map<String, String> wish(String status, String policy) {
    return Map.of(Wish.STATUS, status, Wish.POLICY, policy);
  }

  private void container(String id, Map<String, String> labels) {
    container(id, labels, PLAIN, "");
  }

  private void container(
      String id, Map<String, String> labels, TypedValue spec, String snapshotKey) {
    Call.in(NS)
        .run(
            () ->
                containers.create(
                    new Container(
                        id,
                        labels,
                        "",
                        new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
                        Optional.of(spec),
                        snapshotKey.isEmpty() ? "" : "overlayfs",
                        snapshotKey,
                        Map.of(),
                        "",
                        Instant.EPOCH,
                        Instant.EPOCH)));
  }

  private String count(String id) {
    return Call.in(NS).call(() -> containers.get(id).labels().getOrDefault(Wish.COUNT, "none"));
  }

  /** One round, to its end. */
  private void round() throws Exception {
    for (Future<?> done : monitor.round()) {
      done.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void a_task_that_has_ended_is_replaced_and_counted() throws Exception {
    container("web", wish("running", "always"));
    tasks.ended("web", 0);
    round();
    assertThat(tasks.asked)
        .containsExactly("kill web 9 all", "delete web", "create web", "start web");
    assertThat(tasks.status("web")).contains(TaskStatus.RUNNING);
    assertThat(count("web")).isEqualTo("1");
    tasks.ended("web", 1);
    round();
    assertThat(count("web")).isEqualTo("2");
  }

  @Test
  void containers_without_a_wish_are_left_alone() throws Exception {
    container("web", Map.of("containerd.io/restart.policy", "always"));
    tasks.ended("web", 1);
    round();
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void what_runs_or_is_frozen_is_left_alone() throws Exception {
    container("web", wish("running", "always"));
    for (TaskStatus status :
        List.of(TaskStatus.RUNNING, TaskStatus.PAUSED, TaskStatus.PAUSING, TaskStatus.UNKNOWN)) {
      tasks.set("web", status);
      round();
      round();
    }
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void failures_are_repeated_as_often_as_the_policy_says() throws Exception {
    container("job", wish("running", "on-failure:2"));
    for (int i = 0; i < 5; i++) {
      tasks.ended("job", 1);
      round();
    }
    assertThat(count("job")).isEqualTo("2");
    assertThat(tasks.status("job")).contains(TaskStatus.STOPPED);
  }

  @Test
  void a_success_is_no_failure() throws Exception {
    container("job", wish("running", "on-failure"));
    tasks.ended("job", 0);
    round();
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void what_somebody_stopped_stays_so_unless_always() throws Exception {
    Map<String, String> stopped = new HashMap<>(wish("running", "unless-stopped"));
    container("kept", stopped);
    stopped.put(Wish.EXPLICITLY_STOPPED, "true");
    container("stopped", stopped);
    stopped.put(Wish.POLICY, "always");
    container("always", stopped);
    for (String id : List.of("kept", "stopped", "always")) {
      tasks.ended(id, 0);
    }
    round();
    assertThat(tasks.status("kept")).contains(TaskStatus.RUNNING);
    assertThat(tasks.status("stopped")).contains(TaskStatus.STOPPED);
    assertThat(tasks.status("always")).contains(TaskStatus.RUNNING);
  }

  private void label(String id, String key, String value) {
    Call.in(NS)
        .run(
            () -> {
              Container old = containers.get(id);
              Map<String, String> labels = new HashMap<>(old.labels());
              labels.put(key, value);
              containers.update(
                  new Container(
                      id,
                      labels,
                      old.image(),
                      old.runtime(),
                      old.spec(),
                      old.snapshotter(),
                      old.snapshotKey(),
                      old.extensions(),
                      old.sandbox(),
                      old.createdAt(),
                      old.updatedAt()),
                  new FieldMask(List.of("labels." + key)));
            });
  }

  @Test
  void what_is_wished_while_a_task_is_looked_at_counts() throws Exception {
    container("web", wish("running", "unless-stopped"));
    tasks.ended("web", 137);
    tasks.meanwhile(() -> label("web", Wish.EXPLICITLY_STOPPED, "true"));
    round();
    assertThat(tasks.asked).isEmpty();
    container("job", wish("running", "always"));
    tasks.ended("job", 0);
    tasks.meanwhile(() -> label("job", Wish.STATUS, "stopped"));
    round();
    assertThat(tasks.asked).isEmpty();
    tasks.set("job", TaskStatus.RUNNING);
    tasks.meanwhile(() -> label("job", Wish.STATUS, "running"));
    round();
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void a_container_that_is_removed_meanwhile_is_not_run_again() throws Exception {
    container("web", wish("running", "always"));
    tasks.ended("web", 0);
    tasks.meanwhile(() -> Call.in(NS).run(() -> containers.delete("web")));
    round();
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void a_task_that_is_gone_comes_back_unless_its_container_is_just_being_made() throws Exception {
    container("web", wish("running", "always"));
    round();
    assertThat(tasks.asked).isEmpty();
    time.advance(INTERVAL);
    round();
    assertThat(tasks.status("web")).contains(TaskStatus.RUNNING);
  }

  @Test
  void a_task_that_is_not_started_has_one_interval() throws Exception {
    container("web", wish("running", "always"));
    tasks.set("web", TaskStatus.CREATED);
    round();
    assertThat(tasks.asked).isEmpty();
    round();
    assertThat(tasks.status("web")).contains(TaskStatus.RUNNING);
    assertThat(tasks.asked).contains("kill web 9 all", "create web");
  }

  @Test
  void a_container_that_shall_be_stopped_is_killed_and_its_task_removed() throws Exception {
    container("web", wish("stopped", "always"));
    tasks.set("web", TaskStatus.RUNNING);
    round();
    assertThat(tasks.asked).containsExactly("kill web 9 all", "delete web");
    round();
    tasks.ended("web", 0);
    round();
    assertThat(tasks.asked).hasSize(2);
  }

  @Test
  void a_start_that_fails_leaves_no_task_and_is_a_failure() throws Exception {
    container("job", wish("running", "on-failure:3"));
    tasks.ended("job", 1);
    tasks.failStarts(new UnknownException("no such program"));
    round();
    assertThat(tasks.status("job")).isEmpty();
    assertThat(count("job")).isEqualTo("1");
    tasks.failStarts(null);
    round();
    assertThat(tasks.status("job")).contains(TaskStatus.RUNNING);
    assertThat(count("job")).isEqualTo("2");
  }

  @Test
  void a_task_whose_state_is_not_known_is_left_alone() throws Exception {
    container("job", wish("running", "always"));
    tasks.ended("job", 1);
    tasks.failStates(new UnavailableException("shim"));
    round();
    assertThat(tasks.asked).isEmpty();
    tasks.failStates(null);
    round();
    assertThat(tasks.status("job")).contains(TaskStatus.RUNNING);
  }

  @Test
  void labels_that_make_no_sense_change_nothing() throws Exception {
    container("a", wish("running", "sometimes"));
    container("b", wish("dancing", "always"));
    tasks.ended("a", 1);
    tasks.ended("b", 1);
    round();
    assertThat(tasks.asked).isEmpty();
  }

  @Test
  void the_new_task_gets_its_root_and_its_log() throws Exception {
    Call.in(NS).run(() -> overlayfs.prepare("root", "", Map.of()));
    List<Mount> root = Call.in(NS).call(() -> overlayfs.mounts("root"));
    Map<String, String> labels = new HashMap<>(wish("running", ""));
    labels.put(Wish.LOG_URI, "file:///var/log/web");
    container("web", labels, PLAIN, "root");
    container("tty", labels, spec("{\"process\":{\"terminal\":true}}"), "");
    tasks.ended("web", 1);
    round();
    assertThat(tasks.created.getFirst().rootfs()).isEqualTo(root);
    assertThat(tasks.created.getFirst().stdio())
        .isEqualTo(new Stdio("", "file:///var/log/web", "file:///var/log/web", false));
    tasks.ended("tty", 1);
    round();
    assertThat(tasks.created.getLast().stdio())
        .isEqualTo(new Stdio("", "file:///var/log/web", "", true));
  }

  @Test
  void a_container_whose_end_takes_long_holds_up_no_other_and_is_tended_once() throws Exception {
    var ends = new CountDownLatch(1);
    container("slow", wish("stopped", ""));
    container("web", wish("running", ""));
    tasks.set("slow", TaskStatus.RUNNING);
    tasks.set("web", TaskStatus.RUNNING);
    tasks.endWith(ends);
    List<Future<?>> first = monitor.round();
    first.getLast().get(30, TimeUnit.SECONDS);
    tasks.ended("web", 1);
    List<Future<?>> second = monitor.round();
    assertThat(second).hasSize(1);
    ends.countDown();
    for (Future<?> done : List.of(first.getFirst(), second.getFirst())) {
      done.get(30, TimeUnit.SECONDS);
    }
    assertThat(tasks.status("slow")).isEmpty();
    assertThat(tasks.status("web")).contains(TaskStatus.RUNNING);
  }

  @Test
  void it_looks_at_each_interval() throws Exception {
    container("web", wish("running", ""));
    tasks.set("web", TaskStatus.RUNNING);
    monitor.start();
    time.awaitSleepers(1);
    tasks.ended("web", 0);
    time.advance(INTERVAL);
    Soon.until("it runs", () -> tasks.status("web").equals(Optional.of(TaskStatus.RUNNING)));
    assertThat(count("web")).isEqualTo("1");
  }
}
