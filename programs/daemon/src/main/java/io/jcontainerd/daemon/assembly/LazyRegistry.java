package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.registry.DistributionRegistry;
import io.jcontainerd.registry.EnvironmentProxies;
import io.jcontainerd.registry.RegistryOptions;
import io.jcontainerd.registry.hosts.HostsDirectory;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Registries without credentials, by the usual folders of {@code hosts.toml} and the proxies of the
 * environment, whose client is made when it is first needed: a daemon whose blobs are as they
 * should be never needs it.
 */
final class LazyRegistry implements Registry {
  private @Nullable Registry made;

  private synchronized Registry registry() {
    Registry known = made;
    if (known == null) {
      known =
          new DistributionRegistry(
              RegistryOptions.defaults()
                  .withHosts(HostsDirectory.parse(HostsDirectory.USUAL_ROOTS))
                  .withProxies(EnvironmentProxies.of(System.getenv())));
      made = known;
    }
    return known;
  }

  @Override
  public Descriptor resolve(String reference) {
    return registry().resolve(reference);
  }

  @Override
  public InputStream fetch(String reference, Descriptor descriptor, long offset) {
    return registry().fetch(reference, descriptor, offset);
  }

  @Override
  public Optional<InputStream> fetchPart(
      String reference, Descriptor descriptor, long offset, long length) {
    return registry().fetchPart(reference, descriptor, offset, length);
  }

  @Override
  public InputStream fetchElsewhere(
      String reference, Descriptor descriptor, long offset, int passedOver) {
    return registry().fetchElsewhere(reference, descriptor, offset, passedOver);
  }

  @Override
  public Optional<InputStream> fetchPartElsewhere(
      String reference, Descriptor descriptor, long offset, long length, int passedOver) {
    return registry().fetchPartElsewhere(reference, descriptor, offset, length, passedOver);
  }

  @Override
  public boolean push(String reference, Descriptor descriptor, Source source) {
    return registry().push(reference, descriptor, source);
  }

  @Override
  public List<String> tags(String reference) {
    return registry().tags(reference);
  }

  @Override
  public List<Referrer> referrers(String reference, Digest subject, String artifactType) {
    return registry().referrers(reference, subject, artifactType);
  }
}
