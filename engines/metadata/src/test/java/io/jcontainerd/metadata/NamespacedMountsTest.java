package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountManager;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class NamespacedMountsTest {
  private static final List<Mount> MOUNTS =
      List.of(
          new Mount("erofs", "/layer", "", List.of("ro", "loop")),
          new Mount("bind", "/at", "sub", List.of("rbind")));

  @TempDir Path folder;
  private Fixture f;

  @BeforeEach
  void open() {
    f = new Fixture(folder);
  }

  @AfterEach
  void close() {
    f.close();
  }

  private MountManager manager() {
    return f.metadata.mounts().orElseThrow();
  }

  private Activation activate(String namespace, String name, Map<String, String> labels) {
    return f.in(
        namespace,
        () -> manager().activate(name, MOUNTS, ActivationOptions.NONE.withLabels(labels)));
  }

  private List<String> names(String namespace) {
    return f.in(namespace, () -> manager().list().stream().map(Activation::name).toList());
  }

  @Test
  void what_was_activated_is_told_again() {
    Activation made = activate("ns", "one", Map.of("a", "b"));
    assertThat(made.name()).isEqualTo("one");
    assertThat(made.active().getFirst().mount()).isEqualTo(MOUNTS.getFirst());
    assertThat(made.active().getFirst().mountPoint()).isEqualTo("/at/1");
    assertThat(made.active().getFirst().data()).containsExactly(Map.entry("key", "value"));
    assertThat(made.system()).containsExactly(MOUNTS.getLast());
    assertThat(made.labels()).containsExactly(Map.entry("a", "b"));
    assertThat(f.in("ns", () -> manager().info("one"))).isEqualTo(made);
    assertThat(f.in("ns", () -> manager().list())).containsExactly(made);
    assertThat(names("other")).isEmpty();
    f.in(
        "ns",
        () -> {
          manager().deactivate("one");
          assertThatThrownBy(() -> manager().info("one")).isInstanceOf(NotFoundException.class);
          assertThatThrownBy(() -> manager().deactivate("one"))
              .isInstanceOf(NotFoundException.class)
              .hasMessageContaining("one");
          return true;
        });
    assertThat(f.mounts.ids()).isEmpty();
  }

  @Test
  void a_label_without_a_value_is_none() {
    Activation made = activate("ns", "one", Map.of("a", "", "b", "c"));
    assertThat(made.labels()).containsExactly(Map.entry("b", "c"));
    Activation change = new Activation("one", List.of(), List.of(), Map.of("b", "", "d", "e"));
    assertThat(f.in("ns", () -> manager().update(change, FieldMask.ALL)).labels())
        .containsExactly(Map.entry("d", "e"));
  }

  @Test
  void a_name_is_taken_in_its_namespace_and_nothing_is_left_mounted() {
    activate("ns", "one", Map.of());
    assertThatThrownBy(() -> activate("ns", "one", Map.of()))
        .isInstanceOf(AlreadyExistsException.class);
    activate("other", "one", Map.of());
    assertThat(f.mounts.ids()).hasSize(2);
    f.in(
        "ns",
        () -> {
          assertThatThrownBy(() -> manager().activate("", MOUNTS, ActivationOptions.NONE))
              .isInstanceOf(InvalidArgumentException.class);
          assertThatThrownBy(
                  () -> manager().activate("two", MOUNTS.subList(0, 1), ActivationOptions.NONE))
              .isInstanceOf(NotImplementedException.class);
          return true;
        });
    assertThatThrownBy(
            () -> f.with("no-lease", () -> manager().activate("x", MOUNTS, ActivationOptions.NONE)))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("no-lease");
    assertThat(f.mounts.ids()).hasSize(2);
  }

  @Test
  void labels_change_by_mask() {
    Activation made = activate("ns", "one", Map.of("a", "1", "b", "2"));
    var wanted = new Activation("one", made.active(), made.system(), Map.of("a", "", "c", "3"));
    f.in(
        "ns",
        () -> {
          assertThat(
                  manager().update(wanted, new FieldMask(List.of("labels.a", "labels.c"))).labels())
              .containsOnly(Map.entry("b", "2"), Map.entry("c", "3"));
          assertThat(manager().update(made, FieldMask.ALL).labels()).isEqualTo(made.labels());
          assertThatThrownBy(() -> manager().update(made, new FieldMask(List.of("name"))))
              .isInstanceOf(InvalidArgumentException.class);
          return true;
        });
  }

  @Test
  void a_lease_or_what_it_belongs_to_keeps_it_from_the_collector() {
    f.in("ns", () -> f.metadata.leases().create("lease", Map.of()));
    f.in("ns", () -> f.container("owner", "", Map.of()));
    f.in("ns", () -> f.container("user", "", Map.of("containerd.io/gc.ref.mount.x", "used")));
    f.with("lease", () -> manager().activate("leased", MOUNTS, ActivationOptions.NONE));
    activate("ns", "owned", Map.of("containerd.io/gc.bref.container", "owner"));
    activate("ns", "used", Map.of());
    activate("ns", "nobodys", Map.of());
    f.collect();
    assertThat(names("ns")).containsExactly("leased", "owned", "used");
    assertThat(f.mounts.ids()).hasSize(3);
    f.in(
        "ns",
        () -> {
          f.metadata.leases().delete("lease", false);
          f.metadata.containers().delete("owner");
          f.metadata.containers().delete("user");
          return true;
        });
    f.collect();
    assertThat(names("ns")).isEmpty();
    assertThat(f.mounts.ids()).isEmpty();
  }

  @Test
  void what_cannot_be_undone_yet_is_tried_again() {
    activate("ns", "busy", Map.of());
    f.mounts.stuck = true;
    f.in(
        "ns",
        () -> {
          assertThatThrownBy(() -> manager().deactivate("busy"))
              .isInstanceOf(UnavailableException.class);
          return true;
        });
    assertThat(names("ns")).isEmpty();
    f.collect();
    assertThat(f.mounts.ids()).hasSize(1);
    f.mounts.stuck = false;
    f.collect();
    assertThat(f.mounts.ids()).isEmpty();
  }

  @Test
  void a_restart_of_the_daemon_keeps_mounts_and_undoes_those_of_nobody() {
    long nobodys = f.mounts.mountUnrecorded();
    f.in("ns", () -> f.container("owner", "", Map.of()));
    activate("ns", "owned", Map.of("containerd.io/gc.bref.container", "owner"));
    f.reopen();
    assertThat(names("ns")).contains("owned");
    assertThat(f.mounts.ids()).doesNotContain(nobodys);
  }

  @Test
  void a_restart_of_the_machine_ends_them() {
    f.in("ns", () -> f.container("owner", "", Map.of()));
    activate("ns", "owned", Map.of("containerd.io/gc.bref.container", "owner"));
    f.mounts.reboot();
    f.reopen();
    assertThat(names("ns")).isEmpty();
    activate("ns", "owned", Map.of());
  }
}
