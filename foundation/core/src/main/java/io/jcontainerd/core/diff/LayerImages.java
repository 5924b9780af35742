package io.jcontainerd.core.diff;

import io.jcontainerd.core.Descriptor;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.LongConsumer;

/** Makes file system images of layers. Equal layers make equal images. Safe for many threads. */
public interface LayerImages {
  /** What such images are. */
  String mediaType();

  /**
   * Writes the image of a layer that the content store of the call's namespace holds.
   *
   * @param layer in tar form, packed or not
   * @param isAbove whether it will be put on layers that cannot be seen here
   * @param room hears, now and then, how many bytes are about to be written in folders of our own;
   *     what it throws ends the work
   * @return the uncompressed layer: its media type, digest and size
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the layer is the lowest and
   *     refers to what it does not have
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if the layer depends on what is
   *     below it, or images cannot be made here
   * @throws IOException of the stream
   */
  Descriptor write(Descriptor layer, boolean isAbove, LongConsumer room, OutputStream image)
      throws IOException;
}
