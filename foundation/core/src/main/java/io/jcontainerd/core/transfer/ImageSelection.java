package io.jcontainerd.core.transfer;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Images in the daemon's image store ({@code ImageStore}), to be written or read.
 *
 * @param name of the image; may be empty where further references say it
 * @param labels given to the records that are written
 * @param platforms the parts of an index that count, the best first; all if empty
 * @param allMetadata whether manifests and configs of the other platforms come along
 * @param manifestLimit how many manifests of an index count at most; 0 for all
 * @param references further names
 * @param unpacks where layers are unpacked
 */
public record ImageSelection(
    String name,
    Map<String, String> labels,
    List<Platform> platforms,
    boolean allMetadata,
    int manifestLimit,
    List<ExtraReference> references,
    List<UnpackTarget> unpacks) {
  /** Refuses a negative limit, and copies. */
  public ImageSelection {
    if (manifestLimit < 0) {
      throw new InvalidArgumentException("manifest limit " + manifestLimit + " is negative");
    }
    labels = Map.copyOf(labels);
    platforms = List.copyOf(platforms);
    references = List.copyOf(references);
    unpacks = List.copyOf(unpacks);
  }

  /** An image by its name, for all platforms. */
  public ImageSelection(String name) {
    this(name, Map.of(), List.of(), false, 0, List.of(), List.of());
  }

  /** The same for these platforms only. */
  public ImageSelection withPlatforms(List<Platform> wanted) {
    return new ImageSelection(
        name, labels, wanted, allMetadata, manifestLimit, references, unpacks);
  }

  /** The same, unpacked. */
  public ImageSelection withUnpacks(List<UnpackTarget> wanted) {
    return new ImageSelection(
        name, labels, platforms, allMetadata, manifestLimit, references, wanted);
  }

  /**
   * The names that are known without a look at annotations: the one, the further ones that are
   * whole, and those, prefixes too, which the digest makes so. A name that is left out for what got
   * one without a digest is not left out here: nothing here got its name by a prefix.
   */
  public Set<String> namesOf(Digest target) {
    Set<String> names = new LinkedHashSet<>();
    if (!name.isEmpty()) {
      names.add(name);
    }
    for (ExtraReference reference : references) {
      if (reference.addDigest()) {
        names.add(reference.name() + "@" + target);
      } else if (!reference.isPrefix()) {
        names.add(reference.name());
      }
    }
    return names;
  }

  /**
   * A further name ({@code ImageReference}).
   *
   * @param name the whole name, or its beginning
   * @param isPrefix whether the rest comes from annotations of what is imported
   * @param allowOverwrite whether an image that has the name already is replaced
   * @param addDigest whether {@code @digest} is added
   * @param skipNamedDigest whether the name with a digest is left out for what got a name without
   */
  public record ExtraReference(
      String name,
      boolean isPrefix,
      boolean allowOverwrite,
      boolean addDigest,
      boolean skipNamedDigest) {}

  /**
   * Where layers are unpacked ({@code UnpackConfiguration}).
   *
   * @param platform what the layers are for; empty words mean this machine
   * @param snapshotter by name; empty for the usual one
   */
  public record UnpackTarget(Platform platform, String snapshotter) {}
}
