package io.jcontainerd.transfer.convert;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.transfer.flow.Slots;
import java.util.List;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;

/**
 * Brings images into other forms. Safe for many threads.
 *
 * @param content where blobs are
 * @param leases what keeps them meanwhile
 * @param images makes file system images of layers, if anybody does
 * @param mostBytes the most plain bytes that a packed layer of so many may become
 * @param room bytes that are left where blobs go, if anybody knows
 * @param slots how many layers are worked on at the same time
 */
public record Conversions(
    ContentStore content,
    LeaseStore leases,
    Optional<LayerImages> images,
    LongUnaryOperator mostBytes,
    Supplier<Optional<Long>> room,
    Slots slots) {
  /** What a document becomes, in a call that has a lease. */
  public Descriptor convert(Descriptor root, ConversionRequest request, TransferListener listener) {
    NewBlobs blobs = new NewBlobs(content, leases, room);
    LayerForms layers =
        new LayerForms(content, blobs, images, mostBytes, slots, new Telling(listener));
    return new Conversion(content, blobs, layers, request).convert(root);
  }

  /** Tells of layers, not too often. */
  private record Telling(TransferListener listener) implements LayerForms.Listener {
    private static final long WORTH = 4 << 20;

    @Override
    public void converting(Descriptor layer, Descriptor manifest, long bytes) {
      if (bytes == 0 || bytes % WORTH < 1 << 16) {
        tell(Event.CONVERTING, layer, manifest, bytes);
      }
    }

    @Override
    public void converted(Descriptor layer, Descriptor manifest) {
      tell(Event.CONVERTED, layer, manifest, layer.size());
    }

    private void tell(String event, Descriptor layer, Descriptor manifest, long bytes) {
      listener.progress(
          new TransferProgress(
              event,
              ContentNames.of(layer),
              List.of(ContentNames.of(manifest)),
              bytes,
              layer.size(),
              Optional.of(layer)));
    }
  }
}
