package io.jcontainerd.cli;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.Credentials;
import io.jcontainerd.registry.docker.DockerConfig;
import io.jcontainerd.registry.docker.DockerCredentials;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * How registries are spoken to. Credentials are looked up here, by the user's own files and
 * programs, and only when the daemon asks for them.
 */
final class RegistryFlags {
  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER:PASSWORD",
      description =
          "Who you are to the image's registry; its mirrors are not told. Default: as Docker's"
              + " config.json says")
  private @Nullable String user;

  @Option(names = "--plain-http", description = "Speak to the registry without TLS.")
  private boolean plainHttp;

  @Option(
      names = "--hosts-dir",
      paramLabel = "DIR",
      description = "The daemon's folder of hosts.toml files. Default: as the daemon is configured")
  private String hostsDirectory = "";

  /** How the registry of an image is spoken to. */
  RegistryAccess access(Reference image) {
    return new RegistryAccess(
        credentials(DockerConfig.serverName(image.domain())),
        Map.of(),
        hostsDirectory,
        plainHttp ? "http" : "",
        RegistryAccess.HttpDebug.DISABLED,
        Optional.empty());
  }

  private CredentialSource credentials(String registry) {
    String told = user;
    if (told != null) {
      int colon = told.indexOf(':');
      if (colon < 1) {
        throw new InvalidArgumentException("--user takes a name, a colon and a password");
      }
      var credential =
          new RegistryCredential.UserPassword(told.substring(0, colon), told.substring(colon + 1));
      return challenge ->
          DockerConfig.serverName(challenge.host()).equals(registry)
              ? credential
              : RegistryCredential.None.NONE;
    }
    Function<String, Optional<Credentials>> known = DockerCredentials.of(System.getenv());
    return challenge ->
        known
            .apply(challenge.host())
            .map(RegistryFlags::credential)
            .orElse(RegistryCredential.None.NONE);
  }

  private static RegistryCredential credential(Credentials known) {
    return switch (known.kind()) {
      case PASSWORD -> new RegistryCredential.UserPassword(known.username(), known.secret());
      case IDENTITY_TOKEN -> new RegistryCredential.RefreshToken(known.secret());
      case HEADER -> new RegistryCredential.Header(known.secret(), Optional.empty());
    };
  }
}
