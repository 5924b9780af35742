package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** Names as they are written where nobody else writes. */
record SavedNames(ImageStore images) implements ArchiveImport.Names {
  @Override
  public Image save(String name, Descriptor target, Map<String, String> labels) {
    Image image = new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
    try {
      return images.create(image, Optional.empty());
    } catch (AlreadyExistsException _) {
      return images.update(image, FieldMask.ALL, Optional.empty());
    }
  }
}
