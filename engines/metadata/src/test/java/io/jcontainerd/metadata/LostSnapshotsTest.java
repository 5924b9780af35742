package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the rows of snapshots that a backend could not make durable. */
@SuppressWarnings("NullAway.Init")
class LostSnapshotsTest {
  @TempDir Path folder;
  private Fixture f;
  private final Set<String> lost = new TreeSet<>();
  private int waits;

  @BeforeEach
  void open() {
    f = new Fixture(folder);
    f.beforeTrees =
        real ->
            (Snapshotter)
                Proxy.newProxyInstance(
                    Snapshotter.class.getClassLoader(),
                    new Class<?>[] {Snapshotter.class},
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
                        return method.invoke(real, arguments);
                      } catch (InvocationTargetException e) {
                        throw e.getCause();
                      }
                    });
    f.reopen();
    f.in(NS, () -> f.metadata.leases().create("l", Map.of()));
    f.with("l", () -> f.layer("kept", "", Map.of()));
    f.with("l", () -> f.layer("one", "kept", Map.of()));
    f.with("l", () -> f.layer("two", "one", Map.of()));
  }

  @AfterEach
  void close() {
    f.close();
  }

  private void lose() {
    var keys = new ArrayList<String>();
    f.trees.walk(Filter.ALL, info -> keys.add(info.name()));
    for (String key : keys.reversed()) {
      if (!key.endsWith("/kept")) {
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
        .hasMessageContaining("/two");
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
