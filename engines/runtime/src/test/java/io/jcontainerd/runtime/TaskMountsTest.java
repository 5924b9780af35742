package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.runtime.bundle.Bundle;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TaskMountsTest {
  private static final Mount EROFS = new Mount("erofs", "/layer", List.of("ro"));
  private static final Mount OVERLAY = new Mount("format/overlay", "overlay", List.of());
  private static final Mount LEFT = new Mount("overlay", "overlay", List.of("lowerdir=/a"));

  /** Leaves one mount of every list that holds an erofs. */
  private static final class Manager implements MountManager {
    final Map<String, Activation> active = new LinkedHashMap<>();
    final List<ActivationOptions> asked = new ArrayList<>();
    final List<Optional<String>> leases = new ArrayList<>();
    boolean stuck;

    @Override
    public Activation activate(String name, List<Mount> mounts, ActivationOptions options) {
      asked.add(options);
      leases.add(Call.current().lease());
      if (!mounts.contains(EROFS)) {
        throw new NotImplementedException("nothing to do");
      }
      var made = new Activation(name, List.of(), List.of(LEFT), options.labels());
      if (active.putIfAbsent(name, made) != null) {
        throw new AlreadyExistsException("mount " + name);
      }
      return made;
    }

    @Override
    public void deactivate(String name) {
      if (stuck) {
        throw new UnavailableException("busy");
      }
      if (active.remove(name) == null) {
        throw new NotFoundException("mount " + name);
      }
    }

    @Override
    public Activation info(String name) {
      return java.util.Objects.requireNonNull(active.get(name));
    }

    @Override
    public Activation update(Activation activation, FieldMask mask) {
      throw new AssertionError("nobody updates");
    }

    @Override
    public List<Activation> list() {
      return List.copyOf(active.values());
    }
  }

  private final Manager manager = new Manager();
  private final TaskMounts mounts = new TaskMounts(Optional.of(manager));

  private static CreateTask request(Mount... rootfs) {
    var container =
        new Container(
            "task",
            Map.of(),
            "",
            new Container.Runtime("", Optional.empty()),
            Optional.empty(),
            "",
            "",
            Map.of(),
            "",
            Instant.EPOCH,
            Instant.EPOCH);
    return new CreateTask(container, List.of(rootfs), Stdio.NONE, Optional.empty(), "", "", "", 0);
  }

  private static Task task() {
    Path folder = Path.of("/nowhere");
    return new Task(new Bundle("ns", "task", folder, folder), "", "");
  }

  private TaskMounts.Ready activate(Mount... rootfs) throws InterruptedException {
    return Call.in("ns")
        .withLease("lease")
        .call(() -> mounts.activate(request(rootfs), () -> Set.of("type")));
  }

  @Test
  void a_plain_root_is_nobodys_business() throws Exception {
    var request = request(LEFT, new Mount("bind", "/a", List.of("ro")));
    var ready =
        mounts.activate(
            request,
            () -> {
              throw new AssertionError("no runtime need be asked");
            });
    assertThat(ready.request()).isSameAs(request);
    assertThat(manager.asked).isEmpty();
    mounts.deactivate(task());
  }

  @Test
  void a_root_that_needs_more_is_activated_for_the_container() throws Exception {
    var ready = activate(EROFS, OVERLAY);
    assertThat(ready.request().rootfs()).containsExactly(LEFT);
    assertThat(manager.asked.getFirst().labels())
        .containsExactly(Map.entry("containerd.io/gc.bref.container", "task"));
    assertThat(manager.asked.getFirst().allowed()).containsExactly("type");
    assertThat(manager.leases).containsExactly(Optional.empty());
    mounts.deactivate(task());
    assertThat(manager.active).isEmpty();
  }

  @Test
  void what_was_active_already_is_taken_and_not_told_to_be_new() throws Exception {
    assertThat(activate(EROFS, OVERLAY).mine()).isTrue();
    var again = activate(EROFS, OVERLAY);
    assertThat(again.request().rootfs()).containsExactly(LEFT);
    assertThat(again.mine()).isFalse();
  }

  @Test
  void a_manager_that_has_nothing_to_do_leaves_all_to_the_runtime() throws Exception {
    var other = new Mount("ext4", "/dev/x", List.of());
    assertThat(activate(other).request().rootfs()).containsExactly(other);
  }

  @Test
  void what_cannot_be_given_up_is_left_to_others() throws Exception {
    var _ = activate(EROFS, OVERLAY);
    manager.stuck = true;
    mounts.deactivate(task());
    assertThat(manager.active).containsKey("task");
  }
}
