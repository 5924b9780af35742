package io.jcontainerd.client;

import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What a filter that is applied on this side of the socket can ask of each kind of record. */
final class RecordFields {
  private RecordFields() {}

  static Fields of(Image image) {
    return path ->
        switch (String.join(".", path)) {
          case "name" -> Fields.nonEmpty(image.name());
          case "target.digest" -> Optional.of(image.target().digest().toString());
          case "target.mediatype" -> Optional.of(image.target().mediaType());
          default ->
              switch (path.getFirst()) {
                case "labels" -> Fields.entry(image.labels(), path);
                case "annotations" -> Fields.entry(image.target().annotations(), path);
                default -> Optional.empty();
              };
        };
  }

  static Fields of(Container container) {
    return path ->
        switch (String.join(".", path)) {
          case "id" -> Fields.nonEmpty(container.id());
          case "image" -> Fields.nonEmpty(container.image());
          case "runtime.name" -> Fields.nonEmpty(container.runtime().name());
          default -> labels(container.labels(), path);
        };
  }

  static Fields of(Sandbox sandbox) {
    return path ->
        path.getFirst().equals("id") ? Optional.of(sandbox.id()) : labels(sandbox.labels(), path);
  }

  static Fields of(ContentInfo info) {
    return path ->
        path.getFirst().equals("digest")
            ? Optional.of(info.digest().toString())
            : labels(info.labels(), path);
  }

  static Fields of(IngestStatus status) {
    return path -> path.getFirst().equals("ref") ? Optional.of(status.ref()) : Optional.empty();
  }

  static Fields of(SnapshotInfo info) {
    return path ->
        switch (path.getFirst()) {
          case "kind" -> Optional.of(info.kind().name().toLowerCase(Locale.ROOT));
          case "name" -> Optional.of(info.name());
          case "parent" -> Optional.of(info.parent());
          default -> labels(info.labels(), path);
        };
  }

  static Fields of(Lease lease) {
    return path ->
        path.getFirst().equals("id") ? Fields.nonEmpty(lease.id()) : labels(lease.labels(), path);
  }

  private static Optional<String> labels(Map<String, String> labels, List<String> path) {
    return path.getFirst().equals("labels") ? Fields.entry(labels, path) : Optional.empty();
  }
}
