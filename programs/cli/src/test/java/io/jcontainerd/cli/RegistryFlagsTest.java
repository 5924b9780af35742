package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.oci.reference.Reference;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class RegistryFlagsTest {
  @ParameterizedTest
  @CsvSource({
    "r.example:5000/app:1, r.example:5000, true",
    "r.example:5000/app:1, r.example, false",
    "r.example:5000/app:1, mirror.example, false",
    "alpine:3, docker.io, true",
    "alpine:3, registry-1.docker.io, true",
    "alpine:3, mirror.example, false",
    "r.example/alpine:3, docker.io, false",
  })
  void a_told_password_is_for_the_registry_of_the_image(
      String image, String host, boolean isShown) {
    RegistryFlags flags = new RegistryFlags();
    new CommandLine(flags).parseArgs("--user", "me:open sesame");
    CredentialSource source = flags.access(Reference.parse(image)).credentials();
    assertThat(source.find(new CredentialSource.Challenge(host, image, List.of("Basic realm=r"))))
        .isEqualTo(
            isShown
                ? new RegistryCredential.UserPassword("me", "open sesame")
                : RegistryCredential.None.NONE);
  }
}
