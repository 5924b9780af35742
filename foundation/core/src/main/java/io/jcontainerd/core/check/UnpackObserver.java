package io.jcontainerd.core.check;

import io.jcontainerd.core.Descriptor;
import java.nio.file.Path;

/** Is told what an applier has put into trees. Safe for many threads. */
public interface UnpackObserver {
  /**
   * A layer was put into a tree as a whole.
   *
   * @param tree the folder that took it; of an overlay, the upper one
   * @param layer the blob
   * @param plain the layer without compression
   * @param sums of the files that came with it
   */
  void unpacked(Path tree, Descriptor layer, Descriptor plain, FileSums sums);
}
