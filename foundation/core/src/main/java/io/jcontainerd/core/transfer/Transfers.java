package io.jcontainerd.core.transfer;

import io.jcontainerd.core.images.Image;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/**
 * Moves images in the namespace of the current call. What a transfer creates is added to the call's
 * lease; a call without one gets a lease of its own for as long as the transfer lasts.
 *
 * <p>Every method blocks until all is done and durable. Interruption ends it with {@link
 * io.jcontainerd.core.failure.CancelledException}; what others wait for too goes on. After a
 * failure nothing is left but blobs, whole or in part, that a later try takes up and the garbage
 * collector ends. Safe for many threads.
 */
public interface Transfers {
  /**
   * Brings an image from a registry, unpacks it where asked, and names it.
   *
   * @return the names that it got
   * @throws io.jcontainerd.core.failure.NotFoundException if there is no such image, or not for the
   *     platforms
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if it is no image, or cannot be
   *     unpacked as asked
   * @throws io.jcontainerd.core.failure.ResourceExhaustedException if it does not fit on the disk
   */
  List<Image> pull(PullRequest request, TransferListener listener);

  /**
   * Takes an image to a registry.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is no such image, or parts of it
   *     are not here
   */
  void push(PushRequest request, TransferListener listener);

  /**
   * Reads an archive of images, unpacks them where asked, and names them.
   *
   * @param archive read to its end, not closed
   * @return the names that they got
   */
  List<Image> importArchive(InputStream archive, ImportRequest request, TransferListener listener);

  /**
   * Writes an archive of images.
   *
   * @param archive flushed, not closed
   */
  void exportArchive(OutputStream archive, ExportRequest request, TransferListener listener);

  /**
   * Makes another form of an image. Equal images become equal ones; what is as it should be is used
   * as it is. After a failure nothing is named, and what was made is left to the garbage collector.
   *
   * @return the names that it got
   * @throws io.jcontainerd.core.failure.NotFoundException if there is no such image, parts of it
   *     are not here, or none is for the platforms
   * @throws io.jcontainerd.core.failure.ResourceExhaustedException if it does not fit on the disk
   */
  List<Image> convert(ConversionRequest request, TransferListener listener);

  /**
   * Gives an image further names.
   *
   * @param source its name counts
   * @param destination the name, labels and further references
   * @return the new names
   * @throws io.jcontainerd.core.failure.NotFoundException if there is no such image
   */
  List<Image> tag(ImageSelection source, ImageSelection destination, TransferListener listener);
}
