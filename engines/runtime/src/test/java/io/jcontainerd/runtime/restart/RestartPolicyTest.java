package io.jcontainerd.runtime.restart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RestartPolicyTest {
  @ParameterizedTest
  @CsvSource({
    "no,              1, 0, false, false",
    "always,          0, 7, true,  true",
    "'',              0, 7, true,  true",
    "on-failure,      0, 0, false, false",
    "on-failure,      1, 9, true,  true",
    "on-failure:0,    1, 9, false, true",
    "on-failure:2,    1, 1, false, true",
    "on-failure:2,    1, 2, false, false",
    "on-failure:2,    0, 0, false, false",
    "unless-stopped,  0, 3, false, true",
    "unless-stopped,  1, 3, true,  false",
  })
  void a_policy_tells_whether_it_is_time(
      String text, int exitStatus, int count, boolean explicitlyStopped, boolean wants) {
    assertThat(RestartPolicy.parse(text).wants(exitStatus, count, explicitlyStopped))
        .isEqualTo(wants);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"sometimes", "always:3", "no:1", "on-failure:", "on-failure:x", "on-failure:-1"})
  void what_is_no_policy_is_refused(String text) {
    assertThatThrownBy(() -> RestartPolicy.parse(text))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining(text);
  }

  @Test
  void labels_that_make_no_sense_are_refused() {
    assertThatThrownBy(() -> Wish.of(Map.of(Wish.STATUS, "dancing")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\"dancing\", neither running nor stopped");
    assertThatThrownBy(() -> Wish.of(Map.of(Wish.STATUS, "running", Wish.COUNT, "many")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("restart.count=many");
  }

  @Test
  void labels_are_read() {
    assertThat(
            Wish.of(
                Map.of(
                    "containerd.io/restart.status", "running",
                    "containerd.io/restart.policy", "on-failure:3",
                    "containerd.io/restart.count", "2",
                    "containerd.io/restart.explicitly-stopped", "true",
                    "containerd.io/restart.loguri", "file:///log")))
        .isEqualTo(
            new Wish(
                true, new RestartPolicy(RestartPolicy.Kind.ON_FAILURE, 3), 2, true, "file:///log"));
  }
}
