package io.jcontainerd.daemon.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.daemon.Main;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.testkit.time.Soon;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
    var hook = new OciHook(Map.of("WHO", "{{id}}", "PATH", "/usr/bin:/bin"), OciHookTest::child);
    int status =
        hook.run(
            List.of("/bin/sh", "-c", "echo \"$WHO $1\" > " + said + "; exit 5", "sh", "{{pid}}"),
            new ByteArrayInputStream(state.getBytes(UTF_8)));
    assertThat(status).isEqualTo(5);
    assertThat(said).hasContent("box 42");
  }

  private static int child(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).inheritIO();
    process.environment().clear();
    process.environment().putAll(environment);
    return process.start().waitFor();
  }

  /** A hook as an OCI runtime starts it, which is told the state. */
  private Process hook(String... program) throws IOException {
    String classPath =
        Stream.of("jdk.module.path", "java.class.path")
            .map(name -> System.getProperty(name, ""))
            .filter(part -> !part.isEmpty())
            .collect(Collectors.joining(":"));
    List<String> command =
        new ArrayList<>(
            List.of(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath,
                Main.class.getName(),
                "oci-hook",
                "--"));
    command.addAll(List.of(program));
    Process started =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (OutputStream in = started.getOutputStream()) {
      in.write(state.getBytes(UTF_8));
    }
    return started;
  }

  @Test
  @Timeout(180)
  void a_hook_is_its_program_and_so_ends_with_it() throws Exception {
    Process hook =
        hook("sh", "-c", "echo $$ {{id}} $(ls /proc/$$/fd | wc -l); cat; exec sleep 600");
    String said =
        new BufferedReader(new InputStreamReader(hook.getInputStream(), UTF_8)).readLine();
    // three streams, and one by which the shell reads the command's output
    assertThat(said).isIn(hook.pid() + " box 3", hook.pid() + " box 4");
    Soon.until("nothing runs beside it", () -> hook.children().noneMatch(ProcessHandle::isAlive));
    hook.destroyForcibly();
    assertThat(hook.waitFor()).isEqualTo(137);
  }

  @Test
  @Timeout(180)
  void a_program_that_is_not_there_is_a_failure() throws Exception {
    assertThat(hook("/no/such/program").waitFor()).isEqualTo(1);
    assertThat(hook("sh", "-c", "exit 9").waitFor()).isEqualTo(9);
  }

  @Test
  void a_hook_without_a_program_is_a_mistake() {
    assertThatThrownBy(
            () ->
                new OciHook(Map.of(), OciHookTest::child)
                    .run(List.of(), new ByteArrayInputStream(state.getBytes(UTF_8))))
        .isInstanceOf(UsageException.class);
  }
}
