package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.oci.image.ContentNames;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether an image can fit on the disks at all, before the first of its layers is fetched. What has
 * to come is known; what it unpacks to is not, but hardly ever less than its blob. So whoever is
 * refused here would have failed in the middle; who is not may still fail.
 *
 * @param space room on the disks
 * @param content what is here already
 */
record SpaceCheck(DiskSpace space, ContentStore content) {
  /**
   * Checks.
   *
   * @param subject names the image, for messages
   * @param fetched blobs that have to be here
   * @param unpacked layers that have to be unpacked, by snapshotter
   * @throws ResourceExhaustedException if there is too little room
   */
  void check(
      String subject, Collection<Descriptor> fetched, Map<String, List<Descriptor>> unpacked) {
    Map<String, Long> needed = new HashMap<>();
    Map<String, Long> available = new HashMap<>();
    space
        .ofContent()
        .ifPresent(
            room -> {
              long bytes = fetched.stream().distinct().mapToLong(this::missing).sum();
              needed.merge(room.fileSystem(), bytes, Long::sum);
              available.put(room.fileSystem(), room.availableBytes());
            });
    unpacked.forEach(
        (snapshotter, layers) ->
            space
                .ofSnapshotter(snapshotter)
                .ifPresent(
                    room -> {
                      long bytes = layers.stream().mapToLong(Descriptor::size).sum();
                      needed.merge(room.fileSystem(), bytes, Long::sum);
                      available.putIfAbsent(room.fileSystem(), room.availableBytes());
                    }));
    needed.forEach(
        (disk, bytes) -> {
          long left = available.getOrDefault(disk, Long.MAX_VALUE);
          if (bytes > left) {
            throw new ResourceExhaustedException(
                "%s needs at least %d more bytes on %s, where %d are left"
                    .formatted(subject, bytes, disk, left));
          }
        });
  }

  private long missing(Descriptor blob) {
    if (content.find(blob.digest()).isPresent()) {
      return 0;
    }
    try {
      long there = content.status(ContentNames.of(blob)).offset();
      return Math.max(0, blob.size() - there);
    } catch (NotFoundException _) {
      return blob.size();
    }
  }
}
