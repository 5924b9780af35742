package io.jcontainerd.shim;

import java.util.Optional;

/**
 * What an OCI runtime says of itself.
 *
 * @param name {@code runc} or {@code crun}, also under another name or behind a wrapper; else empty
 * @param own its own version
 * @param announced the newest version of the runtime specification that it claims to know
 */
record RuntimeVersion(String name, Optional<SpecVersion> own, Optional<SpecVersion> announced) {
  /** One that says nothing. */
  static final RuntimeVersion SILENT = new RuntimeVersion("", Optional.empty(), Optional.empty());

  /** What config.json may claim. */
  SpecVersion newest() {
    return announced.orElse(SpecVersion.FIRST);
  }

  /** Whether nothing is known of what it knows. */
  boolean isSilent() {
    return own.isEmpty() && announced.isEmpty();
  }
}
