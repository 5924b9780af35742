package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Another client has announced the commit of a layer, and may or may not do it. */
@Timeout(60)
class PendingCommitTest {
  /** Short naps are over at once. */
  private static final class Hasty implements Time {
    private final AtomicLong slept = new AtomicLong();

    @Override
    public Instant now() {
      return Time.SYSTEM.now();
    }

    @Override
    public long nanoTime() {
      return Time.SYSTEM.nanoTime() + slept.get();
    }

    @Override
    public void sleep(Duration duration) throws InterruptedException {
      if (duration.toMillis() > 100) {
        Time.SYSTEM.sleep(duration);
      } else {
        slept.addAndGet(duration.toNanos());
      }
    }
  }

  /** What another does when it is asked the so many-th time whether its snapshot is there. */
  private interface Another {
    void isAskedFor(String name, int times);
  }

  private final Scene scene = new Scene(new Hasty());
  private final InMemorySnapshotter memory = new InMemorySnapshotter();

  private static Object invoked(Object target, java.lang.reflect.Method method, Object[] args)
      throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  /** The first commit finds its name taken; nothing is there yet. */
  private Snapshotter taken(Another another) {
    AtomicBoolean taken = new AtomicBoolean();
    AtomicInteger times = new AtomicInteger();
    return (Snapshotter)
        Proxy.newProxyInstance(
            Snapshotter.class.getClassLoader(),
            new Class<?>[] {Snapshotter.class},
            (_, method, args) -> {
              if (method.getName().equals("commit") && taken.compareAndSet(false, true)) {
                throw new AlreadyExistsException("snapshot " + args[0]);
              }
              if (method.getName().equals("stat") && taken.get()) {
                another.isAskedFor((String) args[0], times.incrementAndGet());
              }
              return invoked(memory, method, args);
            });
  }

  private Descriptor pulled() {
    ScriptedRegistry.Made image = scene.registry.image("linux", "amd64", 1000);
    scene.registry.names.put(Scene.NAME, image.at());
    Descriptor layer = image.manifest().layers().getFirst();
    Call.in("test")
        .run(
            () -> {
              assertThat(scene.pull(Scene.unpacked("one"))).hasSize(1);
              assertThat(scene.committed())
                  .containsExactly(ChainIds.of(List.of(layer.digest())).getFirst().toString());
              scene.assertNothingIsLeft();
            });
    return layer;
  }

  @Test
  void what_another_does_not_commit_after_all_is_made() {
    scene.snapshotter = taken((_, _) -> {});
    assertThat(scene.applier.countOf(pulled())).isEqualTo(2);
  }

  @Test
  void what_another_commits_is_waited_for() {
    scene.snapshotter =
        taken(
            (name, times) -> {
              if (times == 4) {
                var _ = memory.prepare("another", "", Map.of());
                memory.commit(name, "another", Map.of(), "");
              }
            });
    assertThat(scene.applier.countOf(pulled())).isEqualTo(1);
  }

  @Test
  void what_another_commits_on_something_else_is_not_taken_for_ours() {
    scene.snapshotter =
        taken(
            (name, times) -> {
              if (times == 1) {
                var _ = memory.prepare("base key", "", Map.of());
                memory.commit("base", "base key", Map.of(), "");
                var _ = memory.prepare("another", "base", Map.of());
                memory.commit(name, "another", Map.of(), "");
              } else if (times == 2) {
                memory.remove(name);
                memory.remove("base");
              }
            });
    assertThat(scene.applier.countOf(pulled())).isEqualTo(2);
  }
}
