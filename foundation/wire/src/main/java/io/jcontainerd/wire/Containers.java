package io.jcontainerd.wire;

import io.jcontainerd.core.containers.Container;

/** Container records and their message. */
public final class Containers {
  private Containers() {}

  /** A record as a message. */
  public static io.jcontainerd.api.services.containers.v1.Container toApi(Container container) {
    var message =
        io.jcontainerd.api.services.containers.v1.Container.newBuilder()
            .setId(container.id())
            .putAllLabels(container.labels())
            .setImage(container.image())
            .setRuntime(toApi(container.runtime()))
            .setSnapshotter(container.snapshotter())
            .setSnapshotKey(container.snapshotKey())
            .setCreatedAt(Times.toApi(container.createdAt()))
            .setUpdatedAt(Times.toApi(container.updatedAt()))
            .putAllExtensions(TypedValues.toApi(container.extensions()))
            .setSandbox(container.sandbox());
    container.spec().map(TypedValues::toApi).ifPresent(message::setSpec);
    return message.build();
  }

  /** A message as a record; absent times are the epoch. */
  public static Container toCore(io.jcontainerd.api.services.containers.v1.Container message) {
    return new Container(
        message.getId(),
        message.getLabelsMap(),
        message.getImage(),
        toCore(message.getRuntime()),
        TypedValues.toCore(message.hasSpec(), message.getSpec()),
        message.getSnapshotter(),
        message.getSnapshotKey(),
        TypedValues.toCore(message.getExtensionsMap()),
        message.getSandbox(),
        Times.toCore(message.getCreatedAt()),
        Times.toCore(message.getUpdatedAt()));
  }

  private static io.jcontainerd.api.services.containers.v1.Container.Runtime toApi(
      Container.Runtime runtime) {
    var message =
        io.jcontainerd.api.services.containers.v1.Container.Runtime.newBuilder()
            .setName(runtime.name());
    runtime.options().map(TypedValues::toApi).ifPresent(message::setOptions);
    return message.build();
  }

  private static Container.Runtime toCore(
      io.jcontainerd.api.services.containers.v1.Container.Runtime message) {
    return new Container.Runtime(
        message.getName(), TypedValues.toCore(message.hasOptions(), message.getOptions()));
  }
}
