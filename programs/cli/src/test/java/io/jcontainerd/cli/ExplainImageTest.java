package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainImageTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  @TempDir private Path root;

  private int explain(String... arguments) {
    String[] all = new String[arguments.length + 6];
    all[0] = "images";
    all[1] = "explain";
    all[2] = "--hosts-dir";
    all[3] = root.toString();
    all[4] = "--docker-config";
    all[5] = root.resolve("docker").toString();
    System.arraycopy(arguments, 0, all, 6, arguments.length);
    return Jctr.run(new PrintWriter(out, true), new PrintWriter(err, true), all);
  }

  private void hosts(String registry, String text) throws IOException {
    Files.createDirectories(root.resolve(registry));
    Files.writeString(root.resolve(registry).resolve("hosts.toml"), text);
  }

  @Test
  void a_table_tells_who_is_asked_for_what() throws IOException {
    hosts(
        "docker.io",
        """
        [host."https://mirror.example:5000/docker"]
        capabilities = ["pull", "resolve"]
        skip_verify = true
        dial_timeout = "2s"
        [host."https://mirror.example:5000/docker".header]
        Authorization = "Basic c2VjcmV0"
        """);
    assertThat(explain("alpine:3")).isZero();
    assertThat(err.toString()).isEmpty();
    assertThat(out.toString().replaceAll(" {2,}", " | "))
        .startsWith(
            "docker.io/library/alpine:3: configured by " + root + "/docker.io/hosts.toml\n\n")
        .contains(
            "# | ASKED TO | WHERE | TLS | CREDENTIALS | CONNECT WITHIN | MORE\n",
            "1 | resolve, pull | https://mirror.example:5000/docker/v2 | not verified"
                + " | mirror.example:5000: none | 2s | ?ns=docker.io, headers Authorization\n",
            "2 | resolve, pull, push, referrers | https://registry-1.docker.io/v2 | verified"
                + " | docker.io: none | 30s | -\n")
        .doesNotContain("c2VjcmV0");
  }

  @Test
  void programs_are_told_the_same() throws IOException {
    hosts("r.example", "server = \"https://r.example\"\nclient = [[\"c\", \"k\"]]\nheade = 1");
    assertThat(explain("--format", "json", "r.example/x")).isZero();
    JsonObject told = JsonObject.parse(out.toString());
    assertThat(told.string("reference")).hasValue("r.example/x:latest");
    assertThat(told.strings("warnings")).hasSize(3);
    assertThat(told.strings("errors")).isEmpty();
    assertThat(told.objects("attempts"))
        .singleElement()
        .satisfies(
            attempt -> {
              assertThat(attempt.string("address")).hasValue("https://r.example/v2");
              assertThat(attempt.integer("port")).hasValue(443);
              assertThat(attempt.strings("operations"))
                  .containsExactly("resolve", "pull", "push", "referrers");
              assertThat(attempt.objects("clients").getFirst().string("key"))
                  .hasValue(root + "/r.example/k");
            });
  }

  @Test
  void whose_credentials_would_be_shown_is_told_and_no_secret() throws IOException {
    Files.createDirectories(root.resolve("docker"));
    Path file = root.resolve("docker/config.json");
    Files.writeString(
        file,
        """
        {"auths": {"https://index.docker.io/v1/": {"auth": "bWU6aHVzaA=="}},
         "credHelpers": {"r.example": "vault"}}
        """);
    assertThat(explain("alpine")).isZero();
    assertThat(explain("r.example/x")).isZero();
    assertThat(out.toString())
        .contains(
            "docker.io: as \"me\" of " + file, "r.example: whatever docker-credential-vault knows")
        .doesNotContain("hush");
  }

  @Test
  void without_configuration_the_registry_is_asked() {
    assertThat(explain("localhost:5000/x")).isZero();
    assertThat(out.toString())
        .contains("nothing is configured", "https|http://localhost:5000/v2", "not verified");
    assertThat(explain("--plain-http", "localhost:5000/x")).isZero();
    assertThat(out.toString()).contains(" http://localhost:5000/v2");
  }

  @Test
  void a_refused_file_is_told_and_shows_in_the_status() throws IOException {
    hosts("r.example", "\nserver = 1");
    assertThat(explain("r.example/x")).isEqualTo(Jctr.FOUND);
    assertThat(err.toString())
        .contains("refused: " + root + "/r.example/hosts.toml line 2: server: must be a string");
  }

  @Test
  void that_nobody_would_be_asked_shows_in_the_status() throws IOException {
    hosts("r.example", "server = \"r.example\"\ncapabilities = [\"pull\"]");
    assertThat(explain("r.example/x:1")).isEqualTo(Jctr.FOUND);
    assertThat(out.toString()).contains("Nobody may be asked to resolve it.");
  }

  @Test
  void what_is_no_reference_fails() {
    assertThat(explain("Not A Name")).isEqualTo(Jctr.FAILED);
    assertThat(err.toString()).contains("Not A Name");
    assertThat(out.toString()).isEmpty();
  }
}
