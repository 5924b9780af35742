package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.runtime.Rlimit;
import io.jcontainerd.oci.runtime.Spec;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SpecPreparationTest {
  private static final SpecPreparation LIMITED =
      new SpecPreparation(new HostLimits(false, 100, Map.of("RLIMIT_NOFILE", 4096L)));
  private static final SpecPreparation UNLIMITED =
      new SpecPreparation(new HostLimits(true, 100, Map.of("RLIMIT_NOFILE", 4096L)));

  private static Spec spec(String version) {
    return Spec.parse(
        """
        {"ociVersion":"%s","process":{"args":["x"],"oomScoreAdj":-998,
         "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024},
                    {"type":"RLIMIT_CORE","hard":5,"soft":5}]},
         "linux":{"unknown":[1.50,{"a":null}]}}
        """
            .formatted(version)
            .getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void a_version_newer_than_the_runtime_becomes_the_newest_it_knows_and_others_stay() {
    SpecVersion newest = SpecVersion.parse("1.1.0");
    assertThat(UNLIMITED.container(spec("1.3.0"), newest, "c").ociVersion()).isEqualTo("1.1.0");
    assertThat(UNLIMITED.container(spec("1.0.2-dev"), newest, "c").ociVersion())
        .isEqualTo("1.0.2-dev");
    assertThat(UNLIMITED.container(spec("1.1.0-rc.1"), newest, "c").ociVersion())
        .isEqualTo("1.1.0-rc.1");
  }

  @Test
  void nothing_is_asked_for_that_the_host_cannot_give() {
    Spec fit = LIMITED.container(spec("1.0.0"), SpecVersion.FIRST, "c");
    assertThat(fit.oomScoreAdj()).hasValue(100);
    assertThat(fit.rlimits())
        .containsExactly(new Rlimit("RLIMIT_NOFILE", 1024, 4096), new Rlimit("RLIMIT_CORE", 5, 5));
    assertThat(fit.json().at("linux")).isEqualTo(spec("1.0.0").json().at("linux"));
  }

  @Test
  void a_host_that_can_give_all_changes_nothing() {
    Spec wanted = spec("1.0.0");
    assertThat(UNLIMITED.container(wanted, SpecVersion.FIRST, "c")).isEqualTo(wanted);
  }

  @Test
  void a_preview_is_older_than_its_release() {
    assertThat(SpecVersion.parse("1.0.2-dev")).isLessThan(SpecVersion.parse("1.0.2"));
    assertThat(SpecVersion.parse("1.0.2-dev")).isGreaterThan(SpecVersion.parse("1.0.1"));
    assertThat(SpecVersion.parse("1.10")).isGreaterThan(SpecVersion.parse("1.9.9"));
    assertThatThrownBy(() -> SpecVersion.parse("newest"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void the_limits_of_this_process_are_those_that_the_shell_reports() throws Exception {
    Process shell =
        new ProcessBuilder("bash", "-c", "ulimit -H -n; ulimit -H -c; cat /proc/self/oom_score_adj")
            .start();
    String[] lines =
        new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n", -1);
    HostLimits limits = HostLimits.read();
    assertThat(text(limits.hardLimits().getOrDefault("RLIMIT_NOFILE", 0L))).isEqualTo(lines[0]);
    assertThat(limits.oomScoreAdj()).isEqualTo(Integer.parseInt(lines[2]));
    assertThat(limits.hardLimits()).containsKeys("RLIMIT_CORE", "RLIMIT_NPROC", "RLIMIT_AS");
  }

  private static String text(long limit) {
    return limit == -1 ? "unlimited" : Long.toString(limit);
  }
}
