package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes names into the image store, in place of what had them before, and tells of it. */
final class ImageRecords {
  private final ImageStore images;
  private final Map<String, String> labels;
  private final TransferListener listener;

  ImageRecords(ImageStore images, Map<String, String> labels, TransferListener listener) {
    this.images = images;
    this.labels = labels;
    this.listener = listener;
  }

  Image save(String name, Descriptor target) {
    Image image = new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
    Image saved = null;
    while (saved == null) {
      try {
        saved = images.create(image, Optional.empty());
      } catch (AlreadyExistsException _) {
        try {
          saved = images.update(image, FieldMask.ALL, Optional.empty());
        } catch (NotFoundException _) {
          // somebody removed it in between
        }
      }
    }
    listener.progress(
        new TransferProgress(
            TransferProgress.Event.SAVED, name, List.of(), 0, 0, Optional.of(target)));
    return saved;
  }
}
