package io.jcontainerd.registry.hosts;

import io.jcontainerd.oci.reference.Reference;
import java.util.Locale;

/** What is wanted of registries. */
public enum Operation {
  /** Find out what a reference names. */
  RESOLVE(Capability.RESOLVE),
  /** Fetch blobs and manifests by digest. */
  PULL(Capability.PULL),
  /** Bring blobs, manifests and tags. */
  PUSH(Capability.PUSH),
  /** Find out what refers to a manifest. */
  REFERRERS(Capability.REFERRERS);

  private final Capability capability;

  Operation(Capability capability) {
    this.capability = capability;
  }

  /**
   * What a host must be able to do. A digest tells by itself whether an answer is right, so whoever
   * may be pulled from may also be asked for one.
   */
  Capability needed(Reference reference) {
    return this == RESOLVE && reference.digest().isPresent() ? Capability.PULL : capability;
  }

  /** In lower case. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
