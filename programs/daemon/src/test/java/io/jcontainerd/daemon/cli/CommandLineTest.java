package io.jcontainerd.daemon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.settings.RuntimeSettings;
import io.jcontainerd.daemon.settings.ServerSettings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final List<LoadedConfig> ran = new ArrayList<>();
  private final List<String> published = new ArrayList<>();
  private final List<String> hooks = new ArrayList<>();

  private int run(String... words) {
    var line =
        new CommandLine(
            new BuildInfo("1.2.3", "abc"),
            ran::add,
            CommandLineTest::complete,
            (address, namespace, topic, event) ->
                published.add(
                    address
                        + " "
                        + namespace
                        + " "
                        + topic
                        + " "
                        + new String(event, StandardCharsets.UTF_8)),
            (command, state) -> {
              hooks.add(command + " " + new String(state.readAllBytes(), StandardCharsets.UTF_8));
              return 7;
            },
            new ByteArrayInputStream("payload".getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return line.run(List.of(words));
  }

  private static LoadedConfig complete(LoadedConfig config) {
    return config
        .with(
            "io.jcontainerd.shim.v1.host",
            new RuntimeSettings.ShimHost("node", "/usr/bin/proven", ""))
        .warning("crun was not taken");
  }

  @Test
  void a_dump_shows_what_a_daemon_would_find_out() throws IOException {
    assertThat(run("-c", file("version = 4\nimports = []\n"), "config", "dump")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("oci_runtime = '/usr/bin/proven'");
    assertThat(err).hasToString("jcontainerd: crun was not taken\n");
    assertThat(ConfigLoader.parse(folder.resolve("d"), out.toString(StandardCharsets.UTF_8)))
        .isNotNull();
  }

  @Test
  void a_bug_is_told_as_one() throws IOException {
    var line =
        new CommandLine(
            new BuildInfo("1.2.3", "abc"),
            _ -> {
              throw new IllegalStateException("of mine");
            },
            config -> config,
            (_, _, _, _) -> {},
            (_, _) -> 0,
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    assertThat(line.run(List.of("-c", file("version = 4\nimports = []\n")))).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .startsWith("jcontainerd: this is a bug, please report it: ")
        .contains("of mine");
  }

  private String file(String text) throws IOException {
    Path file = folder.resolve("config.toml");
    Files.writeString(file, text);
    return file.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-v", "--version", "-version"})
  void the_version_is_printed(String option) {
    assertThat(run(option)).isZero();
    assertThat(out).hasToString("jcontainerd 1.2.3 abc\n");
  }

  @Test
  void options_win_over_the_file() throws IOException {
    String config = file("version = 4\nroot = \"/a\"\nstate = \"/b\"\n");
    assertThat(
            run("-c", config, "--root=/r", "-state", "/s", "-l", "error", "--address", "/x.sock"))
        .isZero();
    LoadedConfig effective = ran.getFirst();
    assertThat(effective.daemon().root()).isEqualTo("/r");
    assertThat(effective.daemon().state()).isEqualTo("/s");
    assertThat(effective.daemon().debug().level()).isEqualTo("error");
    assertThat(
            effective.settings("io.containerd.server.v1.grpc", ServerSettings.Grpc.class).address())
        .isEqualTo("/x.sock");
    assertThat(
            effective
                .settings("io.containerd.server.v1.ttrpc", ServerSettings.Ttrpc.class)
                .address())
        .isEqualTo("/x.sock.ttrpc");
  }

  @Test
  void a_ttrpc_address_of_the_file_stays() throws IOException {
    String config =
        file("version = 4\n[plugins.'io.containerd.server.v1.ttrpc']\naddress = '/t.sock'\n");
    assertThat(run("-c", config, "-l", "error", "-a", "/x.sock")).isZero();
    assertThat(
            ran.getFirst()
                .settings("io.containerd.server.v1.ttrpc", ServerSettings.Ttrpc.class)
                .address())
        .isEqualTo("/t.sock");
  }

  @Test
  void the_default_and_the_migrated_configuration_can_be_read_again() throws IOException {
    assertThat(run("config", "default")).isZero();
    assertThat(ConfigLoader.parse(folder.resolve("x"), out.toString(StandardCharsets.UTF_8)))
        .isEqualTo(ConfigLoader.defaults());
    out.reset();
    String config = file("version = 2\nimports = []\noom_score = 3\n[grpc]\naddress = '/y'\n");
    assertThat(run("-c", config, "config", "migrate")).isZero();
    assertThat(ConfigLoader.parse(folder.resolve("x"), out.toString(StandardCharsets.UTF_8)))
        .isEqualTo(ConfigLoader.load(Path.of(config), true));
    out.reset();
    assertThat(run("-c", config, "--root", "/r", "config", "dump")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("version = 4", "root = '/r'", "'/y'");
  }

  @Test
  void publish_sends_standard_input() {
    assertThat(run("-address", "/a", "publish", "-topic", "/t", "--namespace", "ns")).isZero();
    assertThat(published).containsExactly("/a ns /t payload");
  }

  @Test
  void a_hook_gets_its_words_as_they_are_and_tells_its_status() {
    assertThat(run("oci-hook", "--", "/bin/ps", "--pid", "{{pid}}")).isEqualTo(7);
    assertThat(hooks).containsExactly("[/bin/ps, --pid, {{pid}}] payload");
  }

  @Test
  void what_cannot_be_understood_is_told_with_status_1() throws IOException {
    assertThat(run("--nope")).isEqualTo(1);
    assertThat(run("--root")).isEqualTo(1);
    assertThat(run("dance")).isEqualTo(1);
    assertThat(run("config")).isEqualTo(1);
    assertThat(run("publish", "--topic", "/t")).isEqualTo(1);
    assertThat(run("-c", file("version = 4\n"), "-l", "loud")).isEqualTo(1);
    assertThat(run("-c", "/no/such.toml")).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains(
            "unknown option --nope",
            "option --root needs a value",
            "unknown command dance",
            "config needs one of default, dump, migrate",
            "publish needs --namespace",
            "log level loud is none of trace, debug, info, warn, error, fatal, panic",
            "configuration file /no/such.toml does not exist");
    assertThat(ran).isEmpty();
  }
}
