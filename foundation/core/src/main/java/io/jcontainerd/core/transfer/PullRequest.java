package io.jcontainerd.core.transfer;

/**
 * From a registry into the image store.
 *
 * @param source what
 * @param destination under which names, for which platforms, unpacked where
 * @param discardLayers whether the blobs of layers are left to the garbage collector once they are
 *     unpacked
 */
public record PullRequest(RemoteImage source, ImageSelection destination, boolean discardLayers) {
  /** A pull that keeps its layers. */
  public PullRequest(RemoteImage source, ImageSelection destination) {
    this(source, destination, false);
  }
}
