package io.jcontainerd.client;

import io.jcontainerd.metadata.MetadataOptions;
import org.junit.jupiter.api.Timeout;

/** Every contract by the client where namespaces do not share their blobs. */
@Timeout(180)
class IsolatedServedDaemonTest extends ServedDaemonTest {
  @Override
  MetadataOptions options() {
    return MetadataOptions.DEFAULTS.withContentSharing(MetadataOptions.ContentSharing.ISOLATED);
  }

  @Override
  protected boolean isolated() {
    return true;
  }
}
