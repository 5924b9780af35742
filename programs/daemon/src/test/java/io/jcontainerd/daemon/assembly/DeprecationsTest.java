package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.introspection.Introspection.Deprecation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.daemon.config.ConfigLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeprecationsTest {
  @TempDir Path cgroups;

  private List<String> ids(String toml) {
    var config = ConfigLoader.parse(Path.of("/c.toml"), "version = 4\nimports = []\n" + toml);
    return Deprecations.of(config, cgroups, Time.SYSTEM).all().stream()
        .map(Deprecation::id)
        .toList();
  }

  @Test
  void cgroups_of_version_1_are_told() {
    assertThat(ids("")).containsExactly("io.containerd.deprecation/cgroup-v1");
  }

  @Test
  void a_modern_host_with_a_modern_configuration_has_none() throws IOException {
    Files.createFile(cgroups.resolve("cgroup.controllers"));
    assertThat(ids("")).isEmpty();
  }

  @Test
  void tables_of_tracing_are_told() throws IOException {
    Files.createFile(cgroups.resolve("cgroup.controllers"));
    assertThat(
            ids(
                """
                [plugins.'io.containerd.tracing.processor.v1.otlp']
                endpoint = "x"
                [plugins.'io.containerd.internal.v1.tracing']
                service_name = "x"
                """))
        .containsExactly(
            "io.containerd.deprecation/tracing-processor-config",
            "io.containerd.deprecation/tracing-service-config");
  }
}
