package io.jcontainerd.wire;

import io.jcontainerd.core.images.Image;

/** Images and their message. */
public final class Images {
  private Images() {}

  /** An image as a message. */
  public static io.jcontainerd.api.services.images.v1.Image toApi(Image image) {
    return io.jcontainerd.api.services.images.v1.Image.newBuilder()
        .setName(image.name())
        .putAllLabels(image.labels())
        .setTarget(Types.toApi(image.target()))
        .setCreatedAt(Times.toApi(image.createdAt()))
        .setUpdatedAt(Times.toApi(image.updatedAt()))
        .build();
  }

  /**
   * A message as an image; absent times are the epoch.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the target's digest is none
   */
  public static Image toCore(io.jcontainerd.api.services.images.v1.Image message) {
    return new Image(
        message.getName(),
        Types.toCore(message.getTarget()),
        message.getLabelsMap(),
        Times.toCore(message.getCreatedAt()),
        Times.toCore(message.getUpdatedAt()));
  }
}
