package io.jcontainerd.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.snapshots.Snapshotter;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.junit.jupiter.api.Test;

class GuardedSnapshotterTest {
  @Test
  void every_method_of_a_snapshotter_is_passed_on() throws NoSuchMethodException {
    int seen = 0;
    for (Method method : Snapshotter.class.getMethods()) {
      if (!Modifier.isStatic(method.getModifiers())) {
        Method ours =
            GuardedSnapshotter.class.getMethod(method.getName(), method.getParameterTypes());
        assertThat(ours.getDeclaringClass())
            .as("who answers %s: a default would hide the backend's", method.getName())
            .isEqualTo(GuardedSnapshotter.class);
        seen++;
      }
    }
    assertThat(seen).isGreaterThan(10);
  }
}
