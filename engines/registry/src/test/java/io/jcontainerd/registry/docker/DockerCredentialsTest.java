package io.jcontainerd.registry.docker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.registry.Credentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DockerCredentialsTest {
  @TempDir private Path folder;

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }

  private Path file() {
    return folder.resolve("config.json");
  }

  private DockerCredentials credentials(Duration patience) {
    String path = folder + ":" + System.getenv("PATH");
    return new DockerCredentials(file(), Map.of("PATH", path), patience);
  }

  private DockerCredentials credentials(String config) throws IOException {
    Files.writeString(file(), config);
    return credentials(Duration.ofSeconds(30));
  }

  private void helper(String name, String script) throws IOException {
    Path program = Files.writeString(folder.resolve("docker-credential-" + name), script);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https://index.docker.io/v1/ | docker.io           | yes",
        "index.docker.io             | docker.io           | yes",
        "docker.io                   | docker.io           | yes",
        "https://registry-1.docker.io | docker.io          | yes",
        "https://index.docker.io/v1/ | r.example           | no",
        "r.example                   | r.example           | yes",
        "https://r.example           | r.example           | yes",
        "https://r.example/v1/       | r.example           | yes",
        "http://r.example/v2         | r.example           | yes",
        "r.example                   | r.example:5000      | no",
        "r.example:5000              | r.example           | no",
        "https://r.example:5000/v2/  | r.example:5000      | yes",
        "example                     | r.example           | no",
      })
  void a_registry_is_found_under_the_names_that_docker_writes(
      String key, String registry, String found) throws IOException {
    DockerCredentials known =
        credentials("{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(key, base64("me:a:b")));
    assertThat(known.apply(registry))
        .isEqualTo(
            found.equals("yes")
                ? Optional.of(new Credentials("me", "a:b", file().toString()))
                : Optional.empty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"auth\":\"bWU6cGFzcw==\"                              | me | pass",
        "\"auth\":\"bWU6cGFzcwAA\"                              | me | pass",
        "\"username\":\"me\",\"password\":\"pass\"              | me | pass",
        "\"auth\":\"bWU6cGFzcw==\",\"username\":\"x\"           | me | pass",
        "\"auth\":\"bWU6cGFzcw==\",\"identitytoken\":\"token\"  | `` | token",
      })
  void the_forms_of_an_entry(String entry, String user, String secret) throws IOException {
    assertThat(credentials("{\"auths\":{\"r.example\":{" + entry + "}}}").apply("r.example"))
        .hasValue(new Credentials(user, secret, file().toString()));
  }

  @Test
  void an_entry_without_anything_is_none_and_so_is_a_file_that_is_not_there() throws IOException {
    assertThat(credentials(Duration.ofSeconds(1)).apply("r.example")).isEmpty();
    assertThat(credentials("{\"auths\":{\"r.example\":{}}}").apply("r.example")).isEmpty();
    assertThat(credentials("{}").apply("r.example")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"auths\":{\"r.example\":{\"auth\":\"hush!\"}}}",
        "{\"auths\":{\"r.example\":{\"auth\":\"aHVzaA==\"}}}",
        "{\"auths\":[]}",
        "{\"auths\":\"hush\"}",
        "hush",
        "{\"credsStore\":\"../hush\"}",
        "{\"credHelpers\":{\"r.example\":\"a/b\"}}",
      })
  void a_broken_file_is_named_and_its_secrets_are_not(String text) throws IOException {
    DockerCredentials known = credentials(text);
    assertThatThrownBy(() -> known.apply("r.example"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith(file().toString());
    if (!text.contains("credsStore")) {
      assertThatThrownBy(() -> known.apply("r.example")).message().doesNotContain("hush");
    }
  }

  @Test
  void a_helper_of_the_registry_goes_before_the_store_and_both_before_the_file()
      throws IOException {
    helper(
        "one",
        """
        #!/bin/sh
        read server
        printf '{"ServerURL":"%s","Username":"one","Secret":"%s of %s"}' "$server" "$1" "$server"
        """);
    helper(
        "two",
        """
        #!/bin/sh
        read server
        case $server in
          r2.example) echo '{"Username":"<token>","Secret":"refresh"}' ;;
          *) echo 'credentials not found in native keychain'; exit 1 ;;
        esac
        """);
    DockerCredentials known =
        credentials(
            """
            {"credHelpers": {"r1.example": "one", "docker.io": "one"}, "credsStore": "two",
             "auths": {"r1.example": {"auth": "%1$s"}, "r2.example": {"auth": "%1$s"},
                       "r3.example": {"auth": "%1$s"}}}
            """
                .formatted(base64("file:pass")));
    assertThat(known.apply("r1.example"))
        .hasValue(new Credentials("one", "get of r1.example", "docker-credential-one"));
    assertThat(known.apply("docker.io"))
        .hasValue(
            new Credentials("one", "get of https://index.docker.io/v1/", "docker-credential-one"));
    assertThat(known.apply("r2.example"))
        .hasValue(new Credentials("", "refresh", "docker-credential-two"))
        .get()
        .extracting(Credentials::kind)
        .isEqualTo(Credentials.Kind.IDENTITY_TOKEN);
    assertThat(known.apply("r3.example"))
        .hasValue(new Credentials("file", "pass", file().toString()));
    assertThat(known.apply("r4.example")).isEmpty();
    assertThat(known.config().words("r1.example"))
        .isEqualTo("whatever docker-credential-one knows");
  }

  @Test
  void a_registry_token_goes_before_all_else_that_an_entry_holds() throws IOException {
    DockerCredentials known =
        credentials(
            """
            {"auths": {"r.example": {"registrytoken": "shown", "identitytoken": "exchanged",
                                     "auth": "%s"}}}
            """
                .formatted(base64("me:pass")));
    assertThat(known.apply("r.example"))
        .hasValue(Credentials.registryToken("shown", file().toString()))
        .get()
        .hasToString("Credentials[with a registry token of " + file() + "]");
  }

  @Test
  void a_helper_that_does_not_listen_may_answer() throws IOException {
    helper("deaf", "#!/bin/sh\nexec <&-\necho '{\"Username\":\"u\",\"Secret\":\"s\"}'\n");
    assertThat(credentials("{\"credsStore\":\"deaf\"}").apply("r.example"))
        .hasValue(new Credentials("u", "s", "docker-credential-deaf"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "echo broken; exit 3            | ended with 3: broken",
        "exit 1                         | ended with 1",
        "echo hush                      | answered with what is no json object",
        "echo '{\"Secret\":1}'          | answered with what is no json object",
        "head -c 2000000 /dev/zero      | said more than 1048576 bytes",
      })
  void a_helper_that_fails_is_named_with_its_reason(String script, String said) throws IOException {
    helper("bad", "#!/bin/sh\n" + script + "\n");
    DockerCredentials known = credentials("{\"credsStore\":\"bad\"}");
    assertThatThrownBy(() -> known.apply("r.example"))
        .isInstanceOf(ContainerdException.class)
        .hasMessageStartingWith("credential helper docker-credential-bad for r.example ")
        .hasMessageContaining(said)
        .message()
        .doesNotContain("hush");
  }

  @Test
  void a_helper_that_is_missing_is_named() throws IOException {
    DockerCredentials known = credentials("{\"credsStore\":\"missing\"}");
    assertThatThrownBy(() -> known.apply("r.example"))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("credential helper docker-credential-missing is not on the path");
  }

  @Test
  void a_helper_that_does_not_end_is_killed_with_its_children() throws IOException {
    Path pid = folder.resolve("pid");
    helper("slow", "#!/bin/sh\nsleep 300 &\necho $! > " + pid + "\nwait\n");
    Files.writeString(file(), "{\"credsStore\":\"slow\"}");
    DockerCredentials known = credentials(Duration.ofSeconds(5));
    assertThatThrownBy(() -> known.apply("r.example"))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("did not end within 5000 ms");
    Optional<ProcessHandle> child = ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()));
    child.ifPresent(process -> process.onExit().join());
  }

  @Test
  void the_file_is_where_docker_looks_for_it() throws IOException {
    Files.writeString(
        file(), "{\"auths\":{\"r.example\":{\"auth\":\"" + base64("me:pass") + "\"}}}");
    assertThat(DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString())).apply("r.example"))
        .isPresent();
    Path home = Files.createDirectories(folder.resolve("home/.docker"));
    Files.copy(file(), home.resolve("config.json"));
    assertThat(
            DockerCredentials.of(Map.of("HOME", folder.resolve("home").toString()))
                .apply("r.example"))
        .isPresent();
  }
}
