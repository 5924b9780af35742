package io.jcontainerd.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The lower folders of an overlay, seen with mapped ids: the folder that they have in common is
 * bound read-only and id-mapped in a temporary place, and the lower folders are named below that.
 * The overlay keeps its own hold on them, so the temporary place goes once it is mounted.
 */
final class IdMappedLowers implements AutoCloseable {
  private final Path place;
  private final List<String> data;

  private IdMappedLowers(Path place, List<String> data) {
    this.place = place;
    this.data = data;
  }

  static IdMappedLowers map(
      List<String> data, Path temporary, List<IdRange> uids, List<IdRange> gids)
      throws IOException {
    List<String> lowers = OverlayMount.lowers(data);
    if (lowers.isEmpty()) {
      throw new IOException("an id-mapped overlay needs lower folders");
    }
    Path common = OverlayMount.common(lowers);
    Path place = Files.createTempDirectory(temporary, "ovl-idmapped");
    try {
      try (UserNamespace namespace = UserNamespace.create(uids, gids)) {
        IdMappedMount.bind(common, place, namespace, false, true);
      }
    } catch (IOException e) {
      try {
        Files.delete(place);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    List<String> moved = new ArrayList<>();
    for (String lower : lowers) {
      moved.add(OverlayMount.escape(place.resolve(common.relativize(Path.of(lower))).toString()));
    }
    List<String> rewritten = new ArrayList<>();
    for (String option : data) {
      rewritten.add(
          option.startsWith("lowerdir=") ? "lowerdir=" + String.join(":", moved) : option);
    }
    return new IdMappedLowers(place, rewritten);
  }

  /** The options with the lower folders in their temporary place. */
  List<String> data() {
    return data;
  }

  @Override
  public void close() throws IOException {
    Unmounting.detach(place);
    Files.delete(place);
  }
}
