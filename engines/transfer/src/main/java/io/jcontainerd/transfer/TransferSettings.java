package io.jcontainerd.transfer;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Duration;
import java.util.List;

/**
 * What the daemon allows and how it likes things.
 *
 * @param downloads blobs that come at the same time, in the whole daemon; 0 for no limit
 * @param uploads blobs that go at the same time, in the whole daemon; 0 for no limit
 * @param unpacks layers that are unpacked at the same time; 0 for as many as there are processors
 * @param fetchBuffer bytes that one connection fetches of a big layer before it takes the next
 *     part; 0 for what is usual
 * @param silence the longest that a blob may get no byte before its pull fails
 * @param checkPlatformSupported whether an image is refused that none of the targets is for
 * @param targets where layers can be unpacked, the usual first
 */
public record TransferSettings(
    int downloads,
    int uploads,
    int unpacks,
    long fetchBuffer,
    Duration silence,
    boolean checkPlatformSupported,
    List<Target> targets) {
  /** Refuses negative numbers, and copies. */
  public TransferSettings {
    if (downloads < 0 || uploads < 0 || unpacks < 0 || fetchBuffer < 0) {
      throw new InvalidArgumentException("limits of transfers must not be negative");
    }
    if (!silence.isPositive()) {
      throw new InvalidArgumentException("limits of silence must be positive");
    }
    targets = List.copyOf(targets);
  }

  /**
   * A way to unpack ({@code unpack_config}).
   *
   * @param platform what layers are for
   * @param snapshotter by name
   * @param differ by name
   * @param layerTypes media types of layers that are unpacked; all if empty
   */
  public record Target(
      Platform platform, String snapshotter, String differ, List<String> layerTypes) {
    /** Copies the types. */
    public Target {
      layerTypes = List.copyOf(layerTypes);
    }
  }
}
