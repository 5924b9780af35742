package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OciRuntimeTest {
  private static final String REMEDY =
      ": install it, or name an OCI runtime that is there in the option BinaryName";

  private static final String PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

  @TempDir Path folder;

  private interface Body {
    void with(OciRuntime runtime) throws Exception;
  }

  private void runtime(String binary, Path bundle, Body body) throws Exception {
    try (Reactor reactor = Reactor.start("test")) {
      var runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      var options =
          new RuntimeOptions(binary, folder.resolve("root"), false, false, false, 0, 0, "");
      body.with(
          new OciRuntime(
              runner,
              new RuntimeTurns(),
              new RuntimeCopies(runner, List.of(), ""),
              List.of(PATH),
              options,
              "box",
              bundle));
    }
  }

  @Test
  void a_runtime_starts_in_the_bundle_as_wrappers_of_runtimes_expect() throws Exception {
    Path bundle = Files.createDirectory(folder.resolve("bundle"));
    Path script = folder.resolve("wrapper");
    Files.writeString(script, "#!/bin/sh\npwd > " + folder.resolve("where") + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    runtime(script.toString(), bundle, OciRuntime::start);
    assertThat(folder.resolve("where")).hasContent(bundle.toRealPath().toString());
  }

  @Test
  void a_container_whose_bundle_is_gone_can_still_be_removed() throws Exception {
    runtime("true", folder.resolve("gone"), runtime -> runtime.delete(true));
  }

  @Test
  void a_runtime_that_is_not_there_is_told_in_the_words_that_clients_look_for() throws Exception {
    runtime(
        "no-such-runtime",
        folder,
        runtime ->
            assertThatThrownBy(
                    () -> runtime.create(Map.of(), Optional.empty(), folder.resolve("pid")))
                .isInstanceOf(OciRuntimeException.class)
                .hasMessage(
                    "OCI runtime create failed: exec: \"no-such-runtime\": executable file not"
                        + " found in $PATH"
                        + REMEDY));
    runtime(
        "/no/such/runtime",
        folder,
        runtime ->
            assertThatThrownBy(runtime::start)
                .isInstanceOf(OciRuntimeException.class)
                .hasMessageEndingWith(
                    "fork/exec /no/such/runtime: no such file or directory" + REMEDY));
  }
}
