package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.core.registry.Registry;
import java.io.InputStream;
import java.util.List;

/** Where what was imported comes from: nowhere, for all of it is here already. */
final class ImportedContent implements Registry {
  @Override
  public Descriptor resolve(String reference) {
    throw new NotFoundException("image " + reference);
  }

  @Override
  public InputStream fetch(String reference, Descriptor descriptor, long offset) {
    throw new NotFoundException("content " + descriptor.digest() + " of image " + reference);
  }

  @Override
  public boolean push(String reference, Descriptor descriptor, Source source) {
    throw new NotFoundException("image " + reference);
  }

  @Override
  public List<String> tags(String reference) {
    return List.of();
  }

  @Override
  public List<Referrer> referrers(String reference, Digest subject, String artifactType) {
    return List.of();
  }
}
