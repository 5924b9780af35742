package io.jcontainerd.core.diff;

import io.jcontainerd.core.Descriptor;
import java.io.IOException;
import java.io.OutputStream;

/** Makes file system images of layers. Equal layers make equal images. Safe for many threads. */
public interface LayerImages {
  /** What such images are. */
  String mediaType();

  /**
   * Writes the image of a layer that the content store of the call's namespace holds.
   *
   * @param layer in tar form, packed or not
   * @return the uncompressed layer: its media type, digest and size
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the layer depends on what is
   *     below it
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if images cannot be made here
   * @throws IOException of the stream
   */
  Descriptor write(Descriptor layer, OutputStream image) throws IOException;
}
