package io.jcontainerd.registry;

import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.Registries;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.registry.hosts.HostsDirectory;

/**
 * Registries over HTTP, spoken to as the daemon is configured except for what somebody wants
 * otherwise.
 *
 * @param usual how the daemon is configured
 */
public record ConfiguredRegistries(RegistryOptions usual) implements Registries {
  private static final System.Logger LOG = System.getLogger(ConfiguredRegistries.class.getName());

  @Override
  public Registry open(RegistryAccess access) {
    RegistryOptions options = usual;
    if (!access.hostDir().isEmpty()) {
      options = options.withHosts(HostsDirectory.parse(access.hostDir()));
    }
    if (!access.headers().isEmpty()) {
      options = options.withHeaders(access.headers());
    }
    if (!access.credentials().equals(CredentialSource.NONE)) {
      options = options.withCredentialSource(access.credentials());
    }
    options =
        options.withLog(
            access.debug(),
            access.log().orElse(line -> LOG.log(System.Logger.Level.INFO, "{0}", line)));
    options =
        switch (access.defaultScheme()) {
          case "http" -> options.withPlainHttp(_ -> true);
          case "https" -> options.withPlainHttp(_ -> false);
          default -> options;
        };
    return new DistributionRegistry(options);
  }
}
