package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static io.jcontainerd.metadata.Fixture.SN;
import static io.jcontainerd.metadata.Fixture.digest;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Another program that does not answer holds up nobody but who needs it. */
@Timeout(60)
class OutsideBackendsTest {
  private static final List<String> ASKED = List.of("remove", "walk", "cleanup", "delete");

  @TempDir Path folder;
  private volatile @Nullable Class<?> hanging;
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** A backend that answers, or keeps whoever asks waiting until the deadline. */
  private <T> T outside(Class<T> type, T backend) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              if (ASKED.contains(method.getName())) {
                asked.add(type.getSimpleName() + " " + method.getName());
              }
              if (type.equals(hanging)) {
                if (Call.current().deadline().isEmpty()) {
                  Thread.sleep(Duration.ofHours(1));
                }
                throw new DeadlineExceededException("no answer");
              }
              try {
                return method.invoke(backend, arguments);
              } catch (InvocationTargetException e) {
                throw e.getTargetException();
              }
            }));
  }

  private Fixture fixture(MetadataOptions.Outside outside) {
    var fixture = new Fixture(folder, MetadataOptions.DEFAULTS.withOutside(outside));
    fixture.beforeTrees = trees -> outside(Snapshotter.class, trees);
    fixture.beforeBlobs = blobs -> outside(ContentStore.class, blobs);
    fixture.reopen();
    asked.clear();
    return fixture;
  }

  @Test
  void a_snapshotter_that_does_not_answer_comes_last_and_is_asked_once() {
    try (var f = fixture(new MetadataOptions.Outside(false, Set.of(SN)))) {
      f.in(NS, () -> f.blob("lost"));
      f.in(NS, () -> f.layer("one", "", Map.of()));
      f.in(NS, () -> f.layer("two", "", Map.of()));
      asked.clear();
      hanging = Snapshotter.class;
      f.collect();
      assertThat(f.backendBlobs()).isEmpty();
      assertThat(asked)
          .containsExactly("ContentStore delete", "ContentStore cleanup", "Snapshotter remove");
      f.collect();
      assertThat(asked)
          .as("is left alone for a while")
          .filteredOn(OutsideBackendsTest::isSnapshotter)
          .hasSize(1);

      hanging = null;
      f.time.advance(Duration.ofMinutes(2));
      f.collect();
      assertThat(f.backendSnapshots()).isEmpty();
    }
  }

  private static boolean isSnapshotter(String call) {
    return call.startsWith("Snapshotter");
  }

  @Test
  void a_content_store_that_does_not_answer_keeps_no_snapshot() {
    try (var f = fixture(new MetadataOptions.Outside(true, Set.of()))) {
      f.in(NS, () -> f.blob("lost"));
      f.in(NS, () -> f.layer("one", "", Map.of()));
      hanging = ContentStore.class;
      f.collect();
      hanging = null;
      assertThat(f.backendSnapshots()).isEmpty();
      assertThat(f.backendBlobs()).containsExactly(digest("lost"));
      f.time.advance(Duration.ofMinutes(2));
      f.collect();
      assertThat(f.backendBlobs()).isEmpty();
    }
  }

  @Test
  void a_daemon_starts_while_a_snapshotter_does_not_answer() {
    try (var f = fixture(new MetadataOptions.Outside(false, Set.of(SN)))) {
      f.in(NS, () -> f.layer("one", "", Map.of()));
      hanging = Snapshotter.class;
      f.reopen();
      hanging = null;
      f.time.advance(Duration.ofMinutes(2));
      f.collect();
      assertThat(f.backendSnapshots()).isEmpty();
    }
  }
}
