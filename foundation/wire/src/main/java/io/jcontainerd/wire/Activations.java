package io.jcontainerd.wire;

import io.jcontainerd.api.types.ActivationInfo;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActiveMount;

/** Activated mounts and their messages. */
public final class Activations {
  private Activations() {}

  /** An activation as a message. */
  public static ActivationInfo toApi(Activation activation) {
    return ActivationInfo.newBuilder()
        .setName(activation.name())
        .addAllActive(activation.active().stream().map(Activations::toApi).toList())
        .addAllSystem(Types.mountsToApi(activation.system()))
        .putAllLabels(activation.labels())
        .build();
  }

  /** A message as an activation. */
  public static Activation toCore(ActivationInfo message) {
    return new Activation(
        message.getName(),
        message.getActiveList().stream().map(Activations::toCore).toList(),
        Types.mountsToCore(message.getSystemList()),
        message.getLabelsMap());
  }

  private static io.jcontainerd.api.types.ActiveMount toApi(ActiveMount active) {
    return io.jcontainerd.api.types.ActiveMount.newBuilder()
        .setMount(Types.toApi(active.mount()))
        .setMountedAt(Times.toApi(active.mountedAt()))
        .setMountPoint(active.mountPoint())
        .putAllData(active.data())
        .build();
  }

  private static ActiveMount toCore(io.jcontainerd.api.types.ActiveMount message) {
    return new ActiveMount(
        Types.toCore(message.getMount()),
        Times.toCore(message.getMountedAt()),
        message.getMountPoint(),
        message.getDataMap());
  }
}
