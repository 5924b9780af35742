package io.jcontainerd.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamedAddressTest {
  private static final URI SECURE = URI.create("https://registry.example/v2/a/blobs/uploads/");

  @Test
  void an_address_is_relative_to_the_answer() throws IOException {
    assertThat(NamedAddress.resolve(SECURE, "/v2/x?y=z"))
        .hasToString("https://registry.example/v2/x?y=z");
    assertThat(NamedAddress.resolve(SECURE, "https://other.example/x"))
        .hasToString("https://other.example/x");
  }

  @Test
  void tls_is_left_on_this_machine_only() throws IOException {
    assertThat(NamedAddress.resolve(SECURE, "http://127.0.0.1:5000/x"))
        .hasToString("http://127.0.0.1:5000/x");
    assertThatThrownBy(() -> NamedAddress.resolve(SECURE, "http://other.example/x"))
        .isInstanceOf(IOException.class)
        .hasMessage("from https to \"other.example\" without tls");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://registry.example/x",
        "file:///etc/passwd",
        "https:///x",
        "https://[x",
        "mailto:x"
      })
  void what_is_no_address_of_http_is_refused(String text) {
    assertThatThrownBy(() -> NamedAddress.resolve(SECURE, text))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no address");
  }

  @Test
  void what_should_have_been_escaped_is() throws IOException {
    assertThat(NamedAddress.resolve(SECURE, "/v2/a b|c?d=\u00e9"))
        .hasToString("https://registry.example/v2/a%20b%7Cc?d=%C3%A9");
  }

  @Test
  void a_lone_query_is_of_the_same_place() throws IOException {
    assertThat(NamedAddress.resolve(URI.create("https://r.example/v2/x?y"), "?z=1"))
        .hasToString("https://r.example/v2/x?z=1");
  }

  @Test
  void what_is_said_of_a_bad_address_holds_no_secret() {
    assertThatThrownBy(() -> NamedAddress.resolve(SECURE, "ftp://me:hush@r.example/x?sign=hush"))
        .hasMessage("\"ftp://r.example/x?…\" is no address of http");
    assertThatThrownBy(() -> NamedAddress.resolve(SECURE, "https://me:hush@[r/x?sign=hush"))
        .hasMessage("\"https://[r/x?…\" is no address");
  }
}
