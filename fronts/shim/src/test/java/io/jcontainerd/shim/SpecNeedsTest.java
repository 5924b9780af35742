package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.oci.runtime.Spec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpecNeedsTest {
  private static Spec spec(String fields) {
    return Spec.parse(("{" + fields + "}").getBytes(StandardCharsets.UTF_8));
  }

  private static RuntimeVersion runtime(String name, String own, String announced) {
    return new RuntimeVersion(
        name,
        Optional.of(own).filter(text -> !text.isEmpty()).map(SpecVersion::parse),
        Optional.of(announced).filter(text -> !text.isEmpty()).map(SpecVersion::parse));
  }

  private static final RuntimeVersion OLD_CRUN = runtime("crun", "1.8.1", "1.0.0");
  private static final RuntimeVersion OLD_RUNC = runtime("runc", "1.1.5", "1.0.2-dev");
  private static final RuntimeVersion NEW_CRUN = runtime("crun", "1.24", "1.3.0");
  private static final RuntimeVersion NEW_RUNC = runtime("runc", "1.5.0", "1.3.0");
  private static final RuntimeVersion OTHER = runtime("", "", "1.1.0");

  /** What becomes of a document: {@code all} is known, some is {@code told} or {@code refused}. */
  private static String outcome(Spec spec, RuntimeVersion runtime) {
    try {
      return SpecNeeds.check(spec, runtime, "some", "c").isPresent() ? "told" : "all";
    } catch (FailedPreconditionException e) {
      return "refused";
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          # fields; crun 1.8.1; runc 1.1.5; another that announces 1.1.0
          "process":{"args":["x"],"scheduler":{"policy":"SCHED_BATCH"}}; told; told; all
          "process":{"ioPriority":{"class":"IOPRIO_CLASS_IDLE","priority":0}}; told; told; all
          "process":{"execCPUAffinity":{"initial":"0"}}; told; told; told
          "process":{"user":{"umask":0}}; all; all; all
          "domainname":"d"; all; told; all
          "domainname":""; all; all; all
          "hooks":{"createRuntime":[{"path":"/x"}]}; all; all; all
          "mounts":[{"destination":"/a"},{"uidMappings":[{"size":1}],"gidMappings":[{"size":1}]}]; all; refused; all
          "mounts":[{"uidMappings":[]}]; all; all; all
          "mounts":[{"options":["rbind","rro"]}]; all; all; all
          "mounts":[{"options":["rbind","idmap"]}]; all; refused; refused
          "mounts":[{"options":["rbind","ridmap"]}]; refused; refused; refused
          "linux":{"namespaces":[{"type":"pid"},{"type":"cgroup"}]}; all; all; all
          "linux":{"namespaces":[{"type":"pid"},{"type":"time"}]}; all; refused; all
          "linux":{"timeOffsets":{"monotonic":{"secs":5}}}; refused; refused; all
          "linux":{"resources":{"unified":{"memory.high":"1"}}}; all; all; all
          "linux":{"resources":{"rdma":{"a":{"hcaObjects":1}}}}; refused; all; all
          "linux":{"resources":{"memory":{"checkBeforeUpdate":false}}}; all; all; all
          "linux":{"resources":{"memory":{"checkBeforeUpdate":true}}}; all; told; all
          "linux":{"resources":{"cpu":{"burst":1000}}}; told; told; all
          "linux":{"resources":{"cpu":{"idle":1}}}; all; told; all
          "linux":{"seccomp":{"listenerPath":"/s","syscalls":[{"errnoRet":1}]}}; all; all; all
          "linux":{"seccomp":{"flags":["SECCOMP_FILTER_FLAG_LOG"]}}; all; told; all
          "linux":{"personality":{"domain":"LINUX32"}}; all; told; all
          "linux":{"intelRdt":{"l3CacheSchema":"L3:0=f"}}; refused; all; all
          "linux":{"intelRdt":{"schemata":["L3:0=f"]}}; refused; refused; refused
          "linux":{"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0"}}; told; told; told
          "linux":{"netDevices":{"eth1":{}}}; refused; refused; refused
          "linux":{"netDevices":{}}; all; all; all
          "linux":{"netDevices":null}; all; all; all
          "linux":{"netDevices":{"eth1":{}}},"process":{"scheduler":{"policy":"SCHED_RR"}}; refused; refused; refused
          "mounts":{"uidMappings":1},"linux":[],"process":"x"; all; all; all
          """)
  void what_a_runtime_would_leave_out_is_told_or_refused(
      String fields, String crun, String runc, String other) {
    Spec spec = spec(fields);
    assertThat(List.of(outcome(spec, OLD_CRUN), outcome(spec, OLD_RUNC), outcome(spec, OTHER)))
        .containsExactly(crun, runc, other);
    assertThat(List.of(outcome(spec, NEW_CRUN), outcome(spec, NEW_RUNC)))
        .containsExactly("all", "all");
  }

  @Test
  void a_refusal_names_field_version_runtime_and_a_way_out() {
    assertThatThrownBy(
            () ->
                SpecNeeds.check(
                    spec(
                        "\"linux\":{\"netDevices\":{\"eth1\":{}},"
                            + "\"timeOffsets\":{\"boottime\":{\"secs\":1}}}"),
                    OLD_CRUN,
                    "crun",
                    "c"))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessage(
            "container c: linux.timeOffsets (runtime specification 1.1.0), linux.netDevices"
                + " (runtime specification 1.3.0) would be left out by crun 1.8.1, which announces"
                + " 1.0.0, and must not be: install crun 1.22.0 or runc 1.4.0 or later,"
                + " or ask for the container without");
    assertThatThrownBy(
            () ->
                SpecNeeds.check(
                    spec("\"linux\":{\"netDevices\":{\"eth1\":{}}}"), OTHER, "/opt/r", "c"))
        .hasMessageContaining("would be left out by runtime /opt/r, which announces 1.1.0, and");
  }

  @Test
  void a_warning_names_field_version_runtime_and_a_way_out() {
    assertThat(
            SpecNeeds.check(
                spec("\"process\":{\"scheduler\":{\"policy\":\"SCHED_RR\"}}"),
                OLD_RUNC,
                "runc",
                "c"))
        .hasValue(
            "container c: process.scheduler (runtime specification 1.1.0) is left out by runc"
                + " 1.1.5, which announces 1.0.2-dev: for it to have effect, install crun 1.8.5 or"
                + " runc 1.2.0 or later");
  }

  @Test
  void a_runtime_that_tells_nothing_is_not_taken_for_one_of_old() {
    assertThat(
            SpecNeeds.check(
                spec("\"linux\":{\"netDevices\":{\"eth1\":{}}}"),
                RuntimeVersion.SILENT,
                "some",
                "c"))
        .hasValue(
            "container c: linux.netDevices (runtime specification 1.3.0) may be left out by runtime"
                + " some, which does not tell its version: for it to have effect, install crun"
                + " 1.22.0 or runc 1.4.0 or later");
  }
}
