package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.registry.RegistryAccess.HttpDebug;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.ScriptedRegistry;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HttpLogTest {
  private static final byte[] BLOB = "blob".getBytes(UTF_8);

  /** What is written down of a blob that comes after a log-in and a redirect. */
  private static List<String> lines(HttpDebug debug) throws IOException {
    List<String> lines = new ArrayList<>();
    UsualAnswers usual = new UsualAnswers().blob("x", BLOB);
    try (ScriptedRegistry storage = new ScriptedRegistry(usual);
        ScriptedRegistry server =
            new ScriptedRegistry(
                seen ->
                    seen.header("Authorization").isEmpty()
                        ? Reply.of(401).header("WWW-Authenticate", "Basic realm=r")
                        : Reply.of(307)
                            .header(
                                "Location",
                                "http://" + storage.address() + seen.path() + "?sign=hush"));
        var registry =
            new ConfiguredRegistries(RegistryOptions.defaults())
                .open(
                    new RegistryAccess(
                        _ -> new RegistryCredential.UserPassword("me", "hush"),
                        Map.of("X-Key", "hush"),
                        "",
                        "http",
                        debug,
                        Optional.of(lines::add)));
        InputStream in =
            registry.fetch(server.address() + "/x:1", Descriptors.of(MediaTypes.LAYER, BLOB), 0)) {
      assertThat(in.readAllBytes()).isEqualTo(BLOB);
      return lines.stream()
          .map(line -> line.replace(server.address(), "r").replace(storage.address(), "s"))
          .toList();
    }
  }

  @Test
  void requests_and_answers_are_written_down_without_secrets() throws IOException {
    List<String> lines = lines(HttpDebug.DEBUG);
    assertThat(lines).hasSize(6).noneMatch(line -> line.contains("hush"));
    assertThat(lines.getFirst())
        .startsWith("> GET http://r/v2/x/blobs/sha256:")
        .contains("; User-Agent: jcontainerd", "; X-Key: …");
    assertThat(lines.get(1)).contains("< 401", "; www-authenticate: Basic realm=r");
    assertThat(lines.get(2)).contains("; Authorization: …");
    assertThat(lines.get(3)).contains("< 307").containsPattern("location: http://s/v2/x/.*\\?…");
    assertThat(lines.get(4)).startsWith("> GET http://s/v2/x/blobs/").endsWith("jcontainerd");
    assertThat(lines.get(5)).contains("< 200", "content-length: 4");
  }

  @Test
  void times_are_written_down_alone_or_with_them() throws IOException {
    assertThat(lines(HttpDebug.TRACE))
        .hasSize(3)
        .allMatch(
            line -> line.matches("GET http://.*: answered [0-9]+ by HTTP_1_1 after [0-9]+ ms"))
        .noneMatch(line -> line.contains("hush"));
    assertThat(lines(HttpDebug.BOTH)).hasSize(9);
  }

  @Test
  void nothing_is_written_down_unasked() throws IOException {
    assertThat(lines(HttpDebug.DISABLED)).isEmpty();
  }
}
