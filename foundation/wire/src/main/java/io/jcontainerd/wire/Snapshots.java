package io.jcontainerd.wire;

import io.jcontainerd.api.services.snapshots.v1.Info;
import io.jcontainerd.api.services.snapshots.v1.Kind;
import io.jcontainerd.api.services.snapshots.v1.UsageResponse;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Usage;

/** Snapshots and their messages. */
public final class Snapshots {
  private Snapshots() {}

  /** What is known of a snapshot, as a message. */
  public static Info toApi(SnapshotInfo info) {
    return Info.newBuilder()
        .setName(info.name())
        .setParent(info.parent())
        .setKind(
            switch (info.kind()) {
              case VIEW -> Kind.VIEW;
              case ACTIVE -> Kind.ACTIVE;
              case COMMITTED -> Kind.COMMITTED;
            })
        .setCreatedAt(Times.toApi(info.createdAt()))
        .setUpdatedAt(Times.toApi(info.updatedAt()))
        .putAllLabels(info.labels())
        .build();
  }

  /**
   * A message as what is known of a snapshot; absent times are the epoch.
   *
   * @throws InvalidArgumentException if the kind is unknown
   */
  public static SnapshotInfo toCore(Info message) {
    return toCore(
        message,
        switch (message.getKind()) {
          case VIEW -> SnapshotKind.VIEW;
          case ACTIVE -> SnapshotKind.ACTIVE;
          case COMMITTED -> SnapshotKind.COMMITTED;
          case UNKNOWN, UNRECOGNIZED ->
              throw new InvalidArgumentException(
                  "snapshot %s: unknown kind %d"
                      .formatted(message.getName(), message.getKindValue()));
        });
  }

  /** An update's message, whose kind clients leave out and stores do not look at. */
  public static SnapshotInfo updateToCore(Info message) {
    return switch (message.getKind()) {
      case UNKNOWN, UNRECOGNIZED -> toCore(message, SnapshotKind.COMMITTED);
      case VIEW, ACTIVE, COMMITTED -> toCore(message);
    };
  }

  /** What a snapshot takes, as a message. */
  public static UsageResponse toApi(Usage usage) {
    return UsageResponse.newBuilder().setSize(usage.size()).setInodes(usage.inodes()).build();
  }

  /** A message as what a snapshot takes. */
  public static Usage toCore(UsageResponse message) {
    return new Usage(message.getSize(), message.getInodes());
  }

  private static SnapshotInfo toCore(Info message, SnapshotKind kind) {
    return new SnapshotInfo(
        kind,
        message.getName(),
        message.getParent(),
        message.getLabelsMap(),
        Times.toCore(message.getCreatedAt()),
        Times.toCore(message.getUpdatedAt()));
  }
}
