package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.registry.hosts.Operation;
import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Registries that speak the distribution protocol over HTTP.
 *
 * <p>Who is asked, in which order and how, is told by the configuration of the registry; see {@link
 * Resolution}. A failure names the image, and of each host that was asked the status or reason and
 * as whom we asked. Closing ends what still goes on.
 */
public final class DistributionRegistry implements Registry {
  private static final System.Logger LOG = System.getLogger(DistributionRegistry.class.getName());

  private final RegistryOptions options;
  private final Clients clients;
  private final Trials trials;
  private final Resolving resolving;
  private final Fetching fetching;
  private final Listing listing;
  private final Referrers referrers;
  private final ManifestPush manifests;
  private final BlobPush blobs;
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  /** A client with these options. */
  public DistributionRegistry(RegistryOptions options) {
    this.options = options;
    this.clients = new Clients(options);
    this.trials = new Trials(clients, options.attempts(), options.time());
    Exchange exchange = new Exchange(options);
    this.resolving = new Resolving(exchange);
    this.fetching = new Fetching(exchange);
    this.listing = new Listing(exchange);
    this.referrers = new Referrers(exchange);
    this.manifests = new ManifestPush(exchange);
    this.blobs = new BlobPush(options, exchange);
  }

  /** Whom to ask. What is wrong with the configuration is logged once. */
  private List<Attempt> attempts(Reference reference, Operation operation) {
    String registry = reference.domain();
    HostsDirectory.Loaded loaded = options.hosts().load(registry);
    for (String error : loaded.errors()) {
      if (told.add(error)) {
        LOG.log(System.Logger.Level.ERROR, "{0}; the file is not used", error);
      }
    }
    for (String warning : loaded.warnings()) {
      if (told.add(warning)) {
        LOG.log(System.Logger.Level.WARNING, warning);
      }
    }
    return Resolution.attempts(
        loaded.config(), reference, operation, options.plainHttp().test(registry));
  }

  private <T> T ask(Reference reference, Operation operation, Trials.Question<T> question) {
    return ask(reference, operation, 0, question);
  }

  private <T> T ask(
      Reference reference, Operation operation, int passedOver, Trials.Question<T> question) {
    return trials
        .first(reference, operation, attempts(reference, operation), passedOver, question)
        .answer();
  }

  @Override
  public Descriptor resolve(String text) {
    Reference reference = Reference.parse(text).withDefaultTag();
    return ask(reference, Operation.RESOLVE, host -> resolving.resolve(host, reference));
  }

  @Override
  public InputStream fetch(String text, Descriptor descriptor, long offset) {
    return fetchElsewhere(text, descriptor, offset, 0);
  }

  @Override
  public InputStream fetchElsewhere(
      String text, Descriptor descriptor, long offset, int passedOver) {
    Reference reference = Reference.parse(text);
    if (offset < 0 || offset > descriptor.size()) {
      throw new InvalidArgumentException(
          "content " + descriptor.digest() + ": offset " + offset + " is outside of it");
    }
    if (offset == descriptor.size()) {
      return InputStream.nullInputStream();
    }
    try {
      return new Download(
              options,
              trials,
              fetching,
              reference,
              descriptor,
              attempts(reference, Operation.PULL),
              passedOver)
          .stream(offset);
    } catch (NotFoundException e) {
      if (descriptor.urls().isEmpty()) {
        throw e;
      }
      return elsewhere(reference, descriptor, e).stream(offset);
    }
  }

  private Elsewhere elsewhere(Reference reference, Descriptor descriptor, NotFoundException why) {
    try {
      return new Elsewhere(options, clients, reference, descriptor, why);
    } catch (IOException e) {
      throw new UnavailableException("content " + descriptor.digest() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Optional<InputStream> fetchPart(
      String text, Descriptor descriptor, long offset, long length) {
    return fetchPartElsewhere(text, descriptor, offset, length, 0);
  }

  @Override
  public Optional<InputStream> fetchPartElsewhere(
      String text, Descriptor descriptor, long offset, long length, int passedOver) {
    Reference reference = Reference.parse(text);
    if (offset < 0 || length < 1 || offset > descriptor.size() - length) {
      throw new InvalidArgumentException(
          "content %s: %d bytes at %d are outside of it"
              .formatted(descriptor.digest(), length, offset));
    }
    if (Fetching.isManifest(descriptor) || !descriptor.urls().isEmpty()) {
      return Optional.empty();
    }
    return ask(
        reference,
        Operation.PULL,
        passedOver,
        host -> fetching.part(host, reference, descriptor, offset, offset + length));
  }

  @Override
  public boolean push(String text, Descriptor descriptor, Source source) {
    Reference reference = Reference.parse(text).withDefaultTag();
    return ask(
        reference,
        Operation.PUSH,
        host ->
            Fetching.isManifest(descriptor)
                ? manifests.push(host, reference, descriptor, source)
                : blobs.push(host, reference, descriptor, source));
  }

  @Override
  public List<String> tags(String text) {
    Reference repository = repository(text);
    return ask(repository, Operation.RESOLVE, host -> listing.tags(host, repository));
  }

  @Override
  public List<Referrer> referrers(String text, Digest subject, String artifactType) {
    Reference repository = repository(text);
    return ask(
        repository,
        Operation.REFERRERS,
        host -> referrers.of(host, repository, subject, artifactType));
  }

  private static Reference repository(String text) {
    Reference reference = Reference.parse(text);
    return new Reference(reference.domain(), reference.path(), Optional.empty(), Optional.empty());
  }

  @Override
  public void close() {
    clients.close();
  }
}
