package io.jcontainerd.daemon.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OciHookTest {
  @TempDir Path bundle;
  private String state = "";

  @BeforeEach
  void a_bundle() throws IOException {
    Files.writeString(bundle.resolve("config.json"), "{\"root\":{\"path\":\"rootfs\"}}");
    state =
        """
        {"ociVersion":"1.0.2","id":"box","status":"created","pid":42,"bundle":"%s",
         "annotations":{"a.b/c":"d e"}}
        """
            .formatted(bundle);
  }

  private String replaced(String text) {
    return OciHook.replaced(text, JsonObject.parse(state));
  }

  @Test
  void facts_of_the_container_are_put_in() {
    assertThat(replaced("--pid={{pid}} {{ id }}/{{status}}")).isEqualTo("--pid=42 box/created");
    assertThat(replaced("{{bundle}}")).isEqualTo(bundle.toString());
    assertThat(replaced("{{rootfs}}")).isEqualTo(bundle.resolve("rootfs").toString());
    assertThat(replaced("<{{annotation \"a.b/c\"}}>")).isEqualTo("<d e>");
    assertThat(replaced("<{{annotation `none`}}>")).isEqualTo("<>");
    assertThat(replaced("plain } text {")).isEqualTo("plain } text {");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{{", "{{pid", "{{if pid}}x{{end}}", "{{dance}}", "{{pid \"x\"}}"})
  void what_is_not_understood_is_refused(String text) {
    assertThatThrownBy(() -> replaced(text))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("oci-hook: ");
  }

  @Test
  void the_program_runs_with_them_and_its_status_is_ours() throws Exception {
    Path said = bundle.resolve("said");
    var hook = new OciHook(Map.of("WHO", "{{id}}", "PATH", "/usr/bin:/bin"));
    int status =
        hook.run(
            List.of("/bin/sh", "-c", "echo \"$WHO $1\" > " + said + "; exit 5", "sh", "{{pid}}"),
            new ByteArrayInputStream(state.getBytes(UTF_8)));
    assertThat(status).isEqualTo(5);
    assertThat(said).hasContent("box 42");
  }

  @Test
  void a_hook_without_a_program_is_a_mistake() {
    assertThatThrownBy(
            () ->
                new OciHook(Map.of())
                    .run(List.of(), new ByteArrayInputStream(state.getBytes(UTF_8))))
        .isInstanceOf(UsageException.class);
  }
}
