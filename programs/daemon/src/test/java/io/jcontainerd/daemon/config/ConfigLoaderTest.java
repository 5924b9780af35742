package io.jcontainerd.daemon.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.daemon.settings.CriSettings;
import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.PluginTables;
import io.jcontainerd.daemon.settings.RuntimeSettings;
import io.jcontainerd.daemon.settings.ServerSettings;
import io.jcontainerd.daemon.settings.StorageSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {
  private static final String GRPC = "io.containerd.server.v1.grpc";
  private static final String TTRPC = "io.containerd.server.v1.ttrpc";

  @TempDir Path folder;

  @Test
  void the_defaults_printed_and_read_again_are_the_defaults() {
    LoadedConfig defaults = ConfigLoader.defaults();
    LoadedConfig again = ConfigLoader.parse(folder.resolve("c.toml"), defaults.toToml());
    assertThat(again).isEqualTo(defaults);
    assertThat(again.toToml()).isEqualTo(defaults.toToml());
  }

  @Test
  void every_documented_default_is_what_the_documentation_says() {
    LoadedConfig config = ConfigLoader.defaults();
    assertThat(config.daemon().root()).isEqualTo("/var/lib/containerd");
    assertThat(config.daemon().state()).isEqualTo("/run/containerd");
    assertThat(config.daemon().imports()).containsExactly("/etc/containerd/conf.d/*.toml");
    assertThat(config.daemon().timeouts())
        .containsEntry("io.containerd.timeout.task.state", Duration.ofSeconds(2))
        .containsEntry("io.containerd.timeout.shim.load", Duration.ofSeconds(5))
        .hasSize(7);
    String toml = config.toToml();
    assertThat(toml.lines().map(String::strip))
        .contains(
            "version = 4",
            "oom_score = 0",
            "address = '/run/containerd/containerd.sock'",
            "address = '/run/containerd/containerd.sock.ttrpc'",
            "max_recv_message_size = 16777216",
            "pause_threshold = 0.02",
            "mutation_threshold = 100",
            "schedule_delay = '0s'",
            "startup_delay = '100ms'",
            "content_sharing_policy = 'shared'",
            "no_sync = false",
            "interval = '10s'",
            "default = ['walking']",
            "sync_fs = false",
            "max_layer_bytes = 137438953472",
            "max_layer_ratio = 1100",
            "max_layer_entries = 1000000",
            "upperdir_label = false",
            "dmverity_mode = 'auto'",
            "max_concurrent_unpacks = 0",
            "progress_timeout = '2m0s'",
            "bin_dir = '/opt/containerd/image-verifier/bin'",
            "per_verifier_timeout = '10s'",
            "path = '/opt/containerd'",
            "image_pull_progress_timeout = '5m0s'",
            "default_runtime_name = 'runc'",
            "stream_idle_timeout = '4h0m0s'",
            "cdi_spec_dirs = ['/etc/cdi', '/var/run/cdi']",
            "shim_group = 'node'",
            "oci_runtime = ''");
  }

  @Test
  void an_unknown_key_is_ignored_with_a_warning_that_names_the_nearest_known_one() {
    LoadedConfig config =
        parse(
            """
            version = 4
            rooot = "/x"
            [plugins."io.containerd.gc.v1.scheduler"]
            pause_treshold = 0.1
            [plugins."io.containerd.gc.v1.shceduler"]
            pause_threshold = 0.1
            """);
    assertThat(config.warnings())
        .containsExactlyInAnyOrder(
            file() + " line 2: unknown key rooot ignored, did you mean root?",
            file()
                + " line 4: unknown key plugins.\"io.containerd.gc.v1.scheduler\".pause_treshold ignored,"
                + " did you mean pause_threshold?",
            file()
                + " line 5: unknown key plugins.\"io.containerd.gc.v1.shceduler\" ignored, did you mean"
                + " io.containerd.gc.v1.scheduler?");
    assertThat(config.daemon().root()).isEqualTo("/var/lib/containerd");
  }

  @Test
  void all_problems_are_told_at_once_with_their_lines() {
    assertThatThrownBy(
            () ->
                parse(
                    """
                    version = 4
                    root = 7
                    oom_score = "x"
                    [plugins."io.containerd.monitor.container.v1.restart"]
                    interval = "soon"
                    [plugins."io.jcontainerd.shim.v1.host"]
                    shim_group = "galaxy"
                    [plugins."io.containerd.snapshotter.v1.overlayfs"]
                    mount_options = "x"
                    """))
        .isInstanceOfSatisfying(
            ConfigException.class,
            e ->
                assertThat(e.problems())
                    .containsExactlyInAnyOrder(
                        file() + " line 2: root must be a string, not 7",
                        file() + " line 3: oom_score must be a whole number, not x",
                        file()
                            + " line 5: plugins.\"io.containerd.monitor.container.v1.restart\".interval"
                            + " must be a duration such as \"1m30s\", not soon",
                        file()
                            + " line 6: plugins.\"io.jcontainerd.shim.v1.host\": shim_group must be one"
                            + " of node, namespace, pod, container, not galaxy",
                        file()
                            + " line 9: plugins.\"io.containerd.snapshotter.v1.overlayfs\".mount_options"
                            + " must be a list of strings, not x"));
  }

  @Test
  void a_syntax_error_names_file_and_line() {
    assertThatThrownBy(() -> parse("version = 4\nroot = \n"))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith(file() + " line 2: ");
  }

  @Test
  void root_and_state_must_be_absolute_and_differ() {
    assertThatThrownBy(() -> parse("version = 4\nroot = \"x\"\n"))
        .hasMessageContaining("root must be an absolute path, not x");
    assertThatThrownBy(() -> parse("version = 4\nroot = \"/x\"\nstate = \"/x\"\n"))
        .hasMessageContaining("root and state must differ, both are /x");
  }

  @Test
  void a_version_above_4_is_refused_and_named() {
    assertThatThrownBy(() -> parse("version = 5\n"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            file()
                + " line 1: configuration version 5 is not supported, this daemon reads 1 to 4:"
                + " write it as one of them");
  }

  @Test
  void a_missing_file_is_an_error_only_if_it_was_asked_for() {
    assertThatThrownBy(() -> ConfigLoader.load(folder.resolve("none.toml"), true))
        .hasMessage("configuration file " + folder.resolve("none.toml") + " does not exist");
    assertThat(ConfigLoader.load(folder.resolve("none.toml"), false).daemon().version())
        .isEqualTo(4);
  }

  @Test
  void version_1_short_names_are_migrated() {
    LoadedConfig config =
        parse(
            """
            disabled_plugins = ["cri", "btrfs"]
            [grpc]
            address = "/run/x.sock"
            uid = 5
            [plugins.scheduler]
            mutation_threshold = 7
            [plugins.cri]
            sandbox_image = "pause:1"
            """);
    assertThat(config.daemon().disabledPlugins())
        .containsExactly("io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs");
    assertThat(
            config
                .settings("io.containerd.gc.v1.scheduler", StorageSettings.GcScheduler.class)
                .mutationThreshold())
        .isEqualTo(7);
    var grpc = config.settings(GRPC, ServerSettings.Grpc.class);
    assertThat(grpc.address()).isEqualTo("/run/x.sock");
    var ttrpc = config.settings(TTRPC, ServerSettings.Ttrpc.class);
    assertThat(ttrpc.address()).isEqualTo("/run/x.sock.ttrpc");
    assertThat(ttrpc.uid()).isEqualTo(5);
    assertThat(images(config).pinnedImages()).isEqualTo(Map.of("sandbox", "pause:1"));
    assertThat(config.warnings()).isNotEmpty().allMatch(text -> text.contains(" no effect, "));
  }

  @Test
  void version_2_of_a_node_is_migrated_without_losing_a_key() {
    LoadedConfig config =
        parse(
            """
            version = 2
            [debug]
            level = "debug"
            address = "/run/d.sock"
            [metrics]
            address = "127.0.0.1:1338"
            grpc_histogram = true
            [plugins."io.containerd.grpc.v1.cri"]
            sandbox_image = "pause:2"
            enable_selinux = true
            stream_server_port = "10010"
            max_concurrent_downloads = 9
            [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "native"
            default_runtime_name = "crun"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
            runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
            BinaryName = "/usr/bin/crun"
            SystemdCgroup = true
            [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = "/etc/certs.d"
            [plugins."io.containerd.internal.v1.restart"]
            interval = "3s"
            [plugins."io.containerd.monitor.v1.cgroups"]
            no_prometheus = true
            [plugins."io.containerd.runtime.v2.task"]
            platforms = ["linux/arm64"]
            sched_core = true
            """);
    assertThat(config.warnings()).isNotEmpty().allMatch(text -> text.contains(" no effect, "));
    assertThat(config.daemon().debug().level()).isEqualTo("debug");
    assertThat(
            config.settings("io.containerd.server.v1.debug", ServerSettings.Debug.class).address())
        .isEqualTo("/run/d.sock");
    assertThat(
            config
                .settings("io.containerd.server.v1.metrics", ServerSettings.Metrics.class)
                .address())
        .isEqualTo("127.0.0.1:1338");
    assertThat(
            config
                .settings(
                    "io.containerd.metrics.v1.grpc-prometheus", ServerSettings.GrpcPrometheus.class)
                .grpcHistogram())
        .isTrue();
    assertThat(images(config).snapshotter()).isEqualTo("native");
    assertThat(images(config).maxConcurrentDownloads()).isEqualTo(9);
    assertThat(images(config).registry().configPath()).isEqualTo("/etc/certs.d");
    var runtime = config.settings("io.containerd.cri.v1.runtime", CriSettings.Runtime.class);
    assertThat(runtime.enableSelinux()).isTrue();
    assertThat(runtime.cni().binDir()).isEmpty();
    assertThat(runtime.cni().binDirs()).containsExactly("/usr/lib/cni");
    assertThat(runtime.containerd().runtimes()).containsOnlyKeys("runc", "crun");
    assertThat(runtime.containerd().runtimes())
        .extractingByKey("crun")
        .extracting(CriSettings.Handler::options)
        .isEqualTo(Map.of("BinaryName", "/usr/bin/crun", "SystemdCgroup", true));
    assertThat(
            config
                .settings("io.containerd.grpc.v1.cri", CriSettings.Service.class)
                .streamServerPort())
        .isEqualTo("10010");
    assertThat(
            config
                .settings(
                    "io.containerd.monitor.container.v1.restart",
                    RuntimeSettings.RestartMonitor.class)
                .interval())
        .isEqualTo(Duration.ofSeconds(3));
    assertThat(
            config
                .settings("io.containerd.shim.v1.manager", RuntimeSettings.ShimManager.class)
                .env())
        .containsExactly("SCHED_CORE=1");
    LoadedConfig again = ConfigLoader.parse(folder.resolve("m.toml"), config.toToml());
    // warnings tell places, which are others
    assertThat(
            new LoadedConfig(
                again.daemon(), again.plugins(), again.unknownPlugins(), config.warnings()))
        .isEqualTo(config);
  }

  @Test
  void what_an_old_file_says_as_its_default_becomes_the_default_of_today() {
    LoadedConfig config =
        parse(
            """
            version = 2
            imports = []
            [grpc]
            address = "/run/containerd/containerd.sock"
            [ttrpc]
            address = ""
            [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/opt/cni/bin"
            [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = ""
            [plugins."io.containerd.grpc.v1.cri".registry.mirrors]
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
            runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            Root = ""
            """);
    assertThat(config.toToml()).isEqualTo(ConfigLoader.defaults().toToml());
  }

  @Test
  void what_an_old_file_changed_stays_changed() {
    LoadedConfig config =
        parse(
            """
            version = 2
            [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = ""
            [plugins."io.containerd.grpc.v1.cri".registry.headers]
            X-A = ["b"]
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
            runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            SystemdCgroup = true
            """);
    assertThat(images(config).registry().configPath()).isEmpty();
    assertThat(images(config).registry().headers()).containsKey("X-A");
    var runtime = config.settings("io.containerd.cri.v1.runtime", CriSettings.Runtime.class);
    assertThat(runtime.containerd().runtimes())
        .extractingByKey("runc")
        .extracting(CriSettings.Handler::options)
        .satisfies(
            options ->
                assertThat(options).containsEntry("SystemdCgroup", true).containsKey("BinaryName"));
  }

  @Test
  void a_file_written_for_old_and_new_loads_with_the_new_place_winning() {
    LoadedConfig config =
        parse(
            """
            version = 2
            root = "/var/lib/docker/containerd/daemon"
            state = "/var/run/docker/containerd/daemon"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            oom_score = 0
            [grpc]
            address = "/var/run/docker/containerd/containerd.sock"
            [debug]
            level = "info"
            [plugins."io.containerd.server.v1.grpc"]
            address = "/var/run/docker/containerd/new.sock"
            """);
    assertThat(config.settings(GRPC, ServerSettings.Grpc.class).address())
        .isEqualTo("/var/run/docker/containerd/new.sock");
    assertThat(config.warnings()).isEmpty();
  }

  @Test
  void a_table_of_an_older_version_in_a_version_4_file_is_told_its_new_place() {
    assertThat(parse("version = 4\n[grpc]\naddress = \"/x\"\n").warnings())
        .containsExactly(
            file()
                + " line 2: table grpc ignored, since version 4 it is"
                + " plugins.'io.containerd.server.v1.grpc'");
  }

  @Test
  void imports_are_globs_in_order_laid_over_the_main_file() throws IOException {
    Files.createDirectories(folder.resolve("conf.d"));
    write(
        "conf.d/b.toml",
        """
        version = 3
        oom_score = 5
        disabled_plugins = ["io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.x"]
        [plugins."io.containerd.gc.v1.scheduler"]
        mutation_threshold = 3
        [proxy_plugins.stargz]
        type = "snapshot"
        address = "/b.sock"
        """);
    write(
        "conf.d/a.toml",
        """
        version = 2
        oom_score = 4
        root = ""
        [plugins."io.containerd.gc.v1.scheduler"]
        mutation_threshold = 2
        [proxy_plugins.stargz]
        type = "snapshot"
        address = "/a.sock"
        platform = "linux/amd64"
        """);
    write("conf.d/.hidden.toml", "version = 99\n");
    write(
        "main.toml",
        """
        version = 3
        root = "/main"
        imports = ["conf.d/*.toml"]
        disabled_plugins = ["io.containerd.snapshotter.v1.zfs"]
        [plugins."io.containerd.gc.v1.scheduler"]
        pause_threshold = 0.3
        mutation_threshold = 1
        """);
    LoadedConfig config = ConfigLoader.load(folder.resolve("main.toml"), true);
    var gc = config.settings("io.containerd.gc.v1.scheduler", StorageSettings.GcScheduler.class);
    assertThat(gc.mutationThreshold()).isEqualTo(3);
    assertThat(gc.pauseThreshold()).isEqualTo(0.3);
    assertThat(config.daemon().oomScore()).isEqualTo(5);
    assertThat(config.daemon().root()).isEqualTo("/main");
    assertThat(config.daemon().disabledPlugins())
        .containsExactly("io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.x");
    assertThat(config.daemon().proxyPlugins())
        .containsEntry(
            "stargz",
            new DaemonSettings.ProxyPlugin("snapshot", "/b.sock", "", Map.of(), List.of()));
  }

  @Test
  void imports_that_import_each_other_end() throws IOException {
    write("main.toml", "version = 4\nimports = [\"other.toml\", \"main.toml\"]\n");
    write("other.toml", "version = 4\noom_score = 9\nimports = [\"main.toml\"]\n");
    LoadedConfig config = ConfigLoader.load(folder.resolve("main.toml"), true);
    assertThat(config.daemon().oomScore()).isEqualTo(9);
    assertThat(config.daemon().imports()).isEqualTo(List.of("other.toml", "main.toml"));
  }

  @Test
  void an_import_of_a_higher_version_or_a_missing_one_is_refused() throws IOException {
    write("main.toml", "version = 2\nimports = [\"new.toml\", \"none.toml\"]\n");
    write("new.toml", "version = 3\n");
    assertThatThrownBy(() -> ConfigLoader.load(folder.resolve("main.toml"), true))
        .isInstanceOfSatisfying(
            ConfigException.class,
            e ->
                assertThat(e.problems())
                    .containsExactly(
                        folder.resolve("new.toml")
                            + ": imported file has version 3, above the importing file's 2",
                        "configuration file " + folder.resolve("none.toml") + " does not exist"));
  }

  @Test
  void every_plugin_table_can_be_changed_and_survives_printing() {
    var changed =
        ConfigLoader.defaults()
            .with(
                PluginTables.SHIM_HOST,
                new RuntimeSettings.ShimHost("pod", "/usr/bin/crun", "/x y'\"\n\u0001"));
    assertThat(ConfigLoader.parse(folder.resolve("c.toml"), changed.toToml())).isEqualTo(changed);
  }

  private static CriSettings.Images images(LoadedConfig config) {
    return config.settings("io.containerd.cri.v1.images", CriSettings.Images.class);
  }

  private LoadedConfig parse(String text) {
    return ConfigLoader.parse(Path.of(file()), text);
  }

  private String file() {
    return folder.resolve("config.toml").toString();
  }

  @Test
  void changed_settings_without_effect_are_told() {
    LoadedConfig config =
        ConfigLoader.parse(
            folder.resolve("c.toml"),
            """
            version = 4
            imports = []
            [debug]
            log_trace_id = true
            [stream_processors.mine]
            path = "/bin/cat"
            [timeouts]
            'io.containerd.timeout.bolt.open' = "1s"
            'io.containerd.timeout.shim.load' = "1s"
            [plugins.'io.containerd.nri.v1.nri']
            disable = true
            socket_path = "/var/run/nri/nri.sock"
            [plugins.'io.containerd.runtime.v2.task']
            platforms = ["linux/s390x"]
            [plugins.'io.containerd.tracing.processor.v1.otlp']
            endpoint = "http://localhost:4318"
            insecure = true
            """);
    String file = folder.resolve("c.toml").toString();
    assertThat(config.warnings())
        .containsExactly(
            file
                + " line 14: plugins.\"io.containerd.runtime.v2.task\".platforms has no effect,"
                + " this release of jcontainerd serves its host's platform",
            file
                + " line 11: plugins.\"io.containerd.nri.v1.nri\".disable has no effect,"
                + " plugin io.containerd.nri.v1.nri is not part of this release of jcontainerd",
            file
                + " line 16: plugins.\"io.containerd.tracing.processor.v1.otlp\":"
                + " endpoint, insecure have no effect,"
                + " plugin io.containerd.tracing.processor.v1.otlp is not part of this release of"
                + " jcontainerd",
            file
                + " line 4: debug.log_trace_id has no effect,"
                + " tracing is not part of this release of jcontainerd",
            file
                + " line 8: timeouts.\"io.containerd.timeout.bolt.open\" has no effect,"
                + " nothing of this release of jcontainerd waits so long");
  }

  @Test
  void sizes_and_counts_out_of_range_are_told_with_their_key() {
    assertThatThrownBy(
            () ->
                ConfigLoader.parse(
                    folder.resolve("c.toml"),
                    """
                    version = 4
                    imports = []
                    [plugins.'io.containerd.server.v1.grpc']
                    max_recv_message_size = 3000000000
                    [plugins.'io.containerd.server.v1.grpc-tcp']
                    max_send_message_size = -1
                    [plugins.'io.containerd.gc.v1.scheduler']
                    deletion_threshold = 3000000000
                    [plugins.'io.containerd.differ.v1.walking']
                    max_layer_ratio = -1
                    """))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "max_recv_message_size must be from 0 to 2147483647 bytes, not 3000000000")
        .hasMessageContaining("max_send_message_size must be from 0 to 2147483647 bytes, not -1")
        .hasMessageContaining("deletion_threshold must be from 0 to 2147483647, not 3000000000")
        .hasMessageContaining("the limits of a layer must not be negative");
  }

  @Test
  void escapes_that_are_none_are_told() {
    for (String text : List.of("\"q\\0r\"", "\"\\u12\"", "\"\\ugins\"", "\"\\UFFFFFFFF\"")) {
      assertThatThrownBy(
              () -> ConfigLoader.parse(folder.resolve("c.toml"), "version = 4\na = " + text))
          .as(text)
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("c.toml");
    }
  }

  @Test
  void dates_in_tables_of_others_survive_printing() {
    LoadedConfig config =
        ConfigLoader.parse(
            folder.resolve("c.toml"),
            """
            version = 4
            imports = []
            [plugins."x.y"]
            a = 2020-01-01T00:00:00Z
            b = 2020-01-01T10:00:00
            c = 10:00:00
            d = 2020-01-01
            e = 2020-01-01T00:00:00.5+01:00
            """);
    LoadedConfig again = ConfigLoader.parse(folder.resolve("c.toml"), config.toToml());
    assertThat(again.unknownPlugins()).isEqualTo(config.unknownPlugins()).isNotEmpty();
  }

  @Test
  void nesting_without_end_is_told() {
    assertThatThrownBy(
            () ->
                ConfigLoader.parse(
                    folder.resolve("c.toml"), "version = 4\na = " + "[".repeat(100_000)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("nested too deeply");
  }

  @Test
  void a_pattern_of_imports_that_is_none_is_told() {
    assertThatThrownBy(
            () ->
                ConfigLoader.parse(folder.resolve("c.toml"), "version = 4\nimports = [\"/[a\"]\n"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(folder.resolve("c.toml") + ": imports: [a is no pattern of files");
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }
}
