package io.jcontainerd.registry.docker;

import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.registry.Credentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Credentials as Docker's command line finds them: a helper of the registry, else the helper of all
 * registries, else what the file itself holds. A helper that knows nothing of a registry leaves it
 * to the file. The file is read each time, so that a log-in is seen at once. Safe for many threads.
 */
public final class DockerCredentials implements Function<String, Optional<Credentials>> {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Path file;
  private final Map<String, String> environment;
  private final Duration patience;

  /**
   * Credentials from a file.
   *
   * @param file a {@code config.json}; absent is as if empty
   * @param environment of helpers, all of it
   * @param patience after which a helper is killed
   */
  public DockerCredentials(Path file, Map<String, String> environment, Duration patience) {
    this.file = file;
    this.environment = Map.copyOf(environment);
    this.patience = patience;
  }

  /**
   * Those of the user of this environment: {@code $DOCKER_CONFIG/config.json}, else {@code
   * ~/.docker/config.json}.
   */
  public static DockerCredentials of(Map<String, String> environment) {
    String folder = environment.getOrDefault("DOCKER_CONFIG", "");
    Path file =
        folder.isEmpty()
            ? Path.of(environment.getOrDefault("HOME", "/root"), ".docker", "config.json")
            : Path.of(folder, "config.json");
    return new DockerCredentials(file, environment, PATIENCE);
  }

  /** What the file says now. */
  public DockerConfig config() {
    try {
      return DockerConfig.parse(file.toString(), Files.readAllBytes(file));
    } catch (NoSuchFileException _) {
      return DockerConfig.none(file.toString());
    } catch (IOException e) {
      throw new UnavailableException(file + " cannot be read", e);
    }
  }

  /**
   * What is known of a registry.
   *
   * @param registry its host, as in references
   */
  @Override
  public Optional<Credentials> apply(String registry) {
    DockerConfig config = config();
    return config
        .helper(registry)
        .flatMap(
            name ->
                new CredentialHelper(name, environment, patience)
                    .get(DockerConfig.serverName(registry)))
        .or(() -> config.own(registry));
  }
}
