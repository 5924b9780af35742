package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PemTest {
  /** Made by {@code openssl ecparam -genkey} for this test alone. */
  private static final String SEC1 =
      """
      MHcCAQEEIC4N8MpXhaHXj/FKrPjij+Tlek7nEo6eC+/K8HK1f3hBoAoGCCqGSM49
      AwEHoUQDQgAEpBB/ood+QJyMUYY7iiwLORmuzP/hrSNyFwxtFeiBhUitHtyw8ReK
      A8WDdmNIYvOrXLM701/7pB7geBnPr3dGbg==
      """;

  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("key.pem"), text);
  }

  private PrivateKey read(String kind, byte[] bytes) throws IOException {
    return Pem.key(file("# a comment\n" + TestAuthority.pem(kind, bytes)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void keys_of_the_usual_kinds_are_read(String algorithm)
      throws IOException, GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate();
    assertThat(read("PRIVATE KEY", key.getEncoded())).isEqualTo(key);
  }

  @Test
  void a_key_of_rsa_in_its_older_form_is_read() throws IOException, GeneralSecurityException {
    PrivateKey key = KeyPairGenerator.getInstance("RSA").generateKeyPair().getPrivate();
    byte[] pkcs8 = key.getEncoded();
    byte[] pkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length); // after what names the algorithm
    assertThat(read("RSA PRIVATE KEY", pkcs1)).isEqualTo(key);
  }

  @Test
  void a_key_of_a_curve_in_its_older_form_is_read() throws IOException {
    String block = "-----BEGIN EC PRIVATE KEY-----\n" + SEC1 + "-----END EC PRIVATE KEY-----\n";
    String parameters = "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n";
    assertThat(Pem.key(file(parameters + block)).getAlgorithm()).isEqualTo("EC");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n=\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
      })
  void what_is_no_key_is_refused_by_name(String text) throws IOException {
    Path file = file(text);
    assertThatThrownBy(() -> Pem.key(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("key.pem");
  }

  @Test
  void what_is_no_certificate_is_refused_by_name() throws IOException {
    for (String text :
        new String[] {"", TestAuthority.pem("CERTIFICATE", "x".getBytes(US_ASCII))}) {
      Path file = file(text);
      assertThatThrownBy(() -> Pem.certificates(file))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("key.pem");
    }
  }
}
