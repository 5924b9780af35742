package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the rows of snapshots that a backend could not make durable. */
@SuppressWarnings("NullAway.Init")
class LostSnapshotsTest {
  private static final Instant NOW = Instant.EPOCH;

  @TempDir Path folder;
  private Fixture f;
  private final Set<String> lost = new TreeSet<>();
  private int waits;
  private Consumer<String> afterPrepare = _ -> {};

  @BeforeEach
  void open() {
    f = new Fixture(folder);
    f.beforeTrees = this::losing;
    f.reopen();
    f.in(NS, () -> f.metadata.leases().create("l", Map.of()));
    f.with("l", () -> f.layer("kept", "", Map.of()));
    f.with("l", () -> f.layer("one", "kept", Map.of()));
    f.with("l", () -> f.layer("two", "one", Map.of()));
  }

  private Snapshotter losing(Snapshotter real) {
    return before(
        real,
        (_, method, arguments) -> {
          switch (method.getName()) {
            case "lost" -> {
              return Set.copyOf(lost);
            }
            case "forgetLost" -> {
              lost.removeAll((Set<?>) arguments[0]);
              return null;
            }
            case "makeDurable" -> waits++;
            default -> {}
          }
          try {
            Object result = method.invoke(real, arguments);
            if (method.getName().equals("prepare")) {
              afterPrepare.accept((String) arguments[0]);
            }
            return result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        });
  }

  private static Snapshotter before(Snapshotter real, InvocationHandler handler) {
    return (Snapshotter)
        Proxy.newProxyInstance(
            real.getClass().getClassLoader(), new Class<?>[] {Snapshotter.class}, handler);
  }

  @AfterEach
  void close() {
    f.close();
  }

  private void lose() {
    var keys = new ArrayList<String>();
    f.trees.walk(Filter.ALL, info -> keys.add(info.name()));
    for (String key : keys.reversed()) {
      if (key.endsWith("/one") || key.endsWith("/two")) {
        f.trees.remove(key);
        lost.add(key);
      }
    }
  }

  private List<String> leased() {
    return f.in(NS, () -> f.metadata.leases().listResources("l")).stream()
        .map(resource -> resource.id())
        .toList();
  }

  @Test
  void the_next_start_forgets_them_and_they_can_be_made_again() {
    lose();
    f.reopen();
    assertThat(f.snapshotNames()).containsExactly("kept");
    assertThat(leased()).containsExactly("kept");
    assertThat(lost).isEmpty();
    f.with("l", () -> f.layer("one", "kept", Map.of()));
    assertThat(f.snapshotNames()).containsExactly("kept", "one");
  }

  @Test
  void whoever_names_an_image_waits_and_is_told_once() {
    Digest blob = f.with("l", () -> f.blob("manifest"));
    int before = waits;
    f.in(NS, () -> f.image("first", blob, Map.of()));
    assertThat(waits).isEqualTo(before + 1);
    lose();
    assertThatThrownBy(() -> f.in(NS, () -> f.image("second", blob, Map.of())))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("[one, two]");
    assertThat(f.snapshotNames()).containsExactly("kept");
    f.in(NS, () -> f.image("second", blob, Map.of()));
  }

  @Test
  void whoever_says_that_an_image_is_unpacked_waits_and_is_told() {
    Digest blob = f.with("l", () -> f.blob("config"));
    int before = waits;
    f.in(NS, () -> label(blob, "free/text"));
    assertThat(waits).isEqualTo(before);
    f.in(NS, () -> label(blob, "containerd.io/gc.ref.snapshot.sn"));
    assertThat(waits).isEqualTo(before + 1);
    lose();
    assertThatThrownBy(() -> f.in(NS, () -> label(blob, "containerd.io/gc.ref.snapshot.sn")))
        .isInstanceOf(DataLossException.class);
  }

  @Test
  void what_one_namespace_lost_is_told_to_it_and_to_no_other() {
    Digest blob = f.with("l", () -> f.blob("manifest"));
    lose();
    f.in("other", () -> f.image("i", blob, Map.of()));
    assertThat(f.snapshotNames()).containsExactly("kept");
    assertThatThrownBy(() -> f.in(NS, () -> f.image("i", blob, Map.of())))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("[one, two]");
  }

  @Test
  void what_was_lost_and_unpacked_again_is_not_told() {
    Digest blob = f.with("l", () -> f.blob("manifest"));
    lose();
    f.collect(); // forgets it
    f.with("l", () -> f.layer("one", "kept", Map.of()));
    f.with("l", () -> f.layer("two", "one", Map.of()));
    f.in(NS, () -> f.image("i", blob, Map.of()));
    assertThat(f.snapshotNames()).containsExactly("kept", "one", "two");
  }

  @Test
  void nobody_waits_for_an_image_that_is_there_or_one_whose_labels_change() {
    Digest blob = f.with("l", () -> f.blob("manifest"));
    Image image = f.in(NS, () -> f.image("i", blob, Map.of()));
    int before = waits;
    assertThatThrownBy(() -> f.in(NS, () -> f.image("i", blob, Map.of())))
        .isInstanceOf(AlreadyExistsException.class);
    Image labelled = new Image("i", image.target(), Map.of("a", "b"), NOW, NOW);
    f.in(NS, () -> f.metadata.images().update(labelled, FieldMask.ALL, Optional.empty()));
    assertThat(waits).isEqualTo(before);
    Map<String, String> layers = Map.of("containerd.io/gc.ref.snapshot.overlayfs", "layer");
    Image unpacked = new Image("i", image.target(), layers, NOW, NOW);
    for (int i = 0; i < 2; i++) { // the second time it is nothing new
      f.in(NS, () -> f.metadata.images().update(unpacked, FieldMask.ALL, Optional.empty()));
      assertThat(waits).isEqualTo(before + 1);
    }
    Image other = new Image("i", targetOf("other"), Map.of(), NOW, NOW);
    f.in(NS, () -> f.metadata.images().update(other, FieldMask.ALL, Optional.empty()));
    assertThat(waits).isEqualTo(before + 2);
  }

  @Test
  void a_snapshotter_that_fails_does_not_hold_up_the_others() {
    f.more.put(
        "broken", // asked first
        before(
            f.trees,
            (_, method, _) ->
                switch (method.getName()) {
                  case "lost" -> Set.of();
                  case "makeDurable" -> throw new UnavailableException("input/output error");
                  default -> null;
                }));
    f.reopen();
    int before = waits;
    assertThatThrownBy(() -> f.in(NS, () -> f.image("i", Fixture.digest("manifest"), Map.of())))
        .isInstanceOf(UnavailableException.class);
    assertThat(waits).isEqualTo(before + 1);
  }

  /** By another call, which finds the loss while this one has recorded nothing yet. */
  private void makeDurableMeanwhile() {
    afterPrepare = _ -> {};
    f.in(
        "other",
        () -> {
          f.snapshots().makeDurable();
          return true;
        });
    assertThat(lost).isEmpty();
  }

  @Test
  void what_is_lost_and_forgotten_before_it_is_recorded_is_not_recorded() {
    afterPrepare =
        backendKey -> {
          f.trees.remove(backendKey);
          lost.add(backendKey);
          makeDurableMeanwhile();
        };
    assertThatThrownBy(() -> f.in(NS, () -> f.snapshots().prepare("active", "", Map.of())))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("lost");
    f.in(NS, () -> f.snapshots().prepare("active", "", Map.of()));
    assertThat(f.snapshotNames()).containsExactly("active", "kept", "one", "two");
  }

  @Test
  void what_is_not_lost_is_recorded_although_others_were() {
    afterPrepare =
        _ -> {
          lose();
          makeDurableMeanwhile();
        };
    f.in(NS, () -> f.snapshots().prepare("active", "kept", Map.of()));
    assertThat(f.snapshotNames()).containsExactly("active", "kept");
  }

  private static Descriptor targetOf(String text) {
    return new Descriptor(
        "application/vnd.oci.image.manifest.v1+json", Fixture.digest(text), text.length());
  }

  private ContentInfo label(Digest blob, String key) {
    ContentInfo info = f.metadata.content().info(blob);
    return f.metadata
        .content()
        .update(
            new ContentInfo(
                blob, info.size(), info.createdAt(), info.updatedAt(), Map.of(key, "two")),
            new FieldMask(List.of("labels." + key)));
  }
}
