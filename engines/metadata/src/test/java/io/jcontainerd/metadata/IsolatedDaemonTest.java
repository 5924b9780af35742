package io.jcontainerd.metadata;

import org.junit.jupiter.api.Timeout;

/** Every contract where namespaces do not share their blobs. */
@Timeout(60)
class IsolatedDaemonTest extends StoredDaemonTest {
  @Override
  MetadataOptions options() {
    return MetadataOptions.DEFAULTS.withContentSharing(MetadataOptions.ContentSharing.ISOLATED);
  }

  @Override
  protected boolean isolated() {
    return true;
  }
}
