package io.jcontainerd.registry.hosts;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What a host may be used for. */
public enum Capability {
  /** Blobs, and manifests by digest. */
  PULL,
  /** Finding out what a tag names. */
  RESOLVE,
  /** Taking blobs, manifests and tags. */
  PUSH,
  /** Telling what refers to a manifest. */
  REFERRERS;

  /** As configuration writes it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The capability of that word. */
  static Optional<Capability> of(String word) {
    return Arrays.stream(values()).filter(one -> one.word().equals(word)).findFirst();
  }

  static Set<Capability> all() {
    return EnumSet.allOf(Capability.class);
  }

  static List<String> words() {
    return Arrays.stream(values()).map(Capability::word).toList();
  }
}
