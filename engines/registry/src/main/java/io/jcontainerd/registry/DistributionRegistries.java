package io.jcontainerd.registry;

import io.jcontainerd.core.registry.Registries;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.registry.hosts.HostsDirectory;

/**
 * Opens registries, as usual but for what somebody wants otherwise: who knows who they are, further
 * headers, other folders of {@code hosts.toml}, no TLS. Safe for many threads.
 */
public final class DistributionRegistries implements Registries {
  private static final String PLAIN = "http";

  private final RegistryOptions usual;

  /**
   * @param usual how registries are spoken to by those who want nothing else
   */
  public DistributionRegistries(RegistryOptions usual) {
    this.usual = usual;
  }

  @Override
  public Registry open(RegistryAccess access) {
    RegistryOptions options =
        usual.withCredentialSource(access.credentials()).withHeaders(access.headers());
    if (!access.hostDir().isEmpty()) {
      options = options.withHosts(HostsDirectory.parse(access.hostDir()));
    }
    if (access.defaultScheme().equals(PLAIN)) {
      options = options.withPlainHttp(_ -> true);
    }
    return new DistributionRegistry(options);
  }
}
