package io.jcontainerd.wire;

import io.jcontainerd.core.sandboxes.Sandbox;

/** Sandbox records and their message. */
public final class Sandboxes {
  private Sandboxes() {}

  /** A record as a message. */
  public static io.jcontainerd.api.types.Sandbox toApi(Sandbox sandbox) {
    var message =
        io.jcontainerd.api.types.Sandbox.newBuilder()
            .setSandboxId(sandbox.id())
            .setSandboxer(sandbox.sandboxer())
            .setRuntime(toApi(sandbox.runtime()))
            .putAllLabels(sandbox.labels())
            .putAllExtensions(TypedValues.toApi(sandbox.extensions()))
            .setCreatedAt(Times.toApi(sandbox.createdAt()))
            .setUpdatedAt(Times.toApi(sandbox.updatedAt()));
    sandbox.spec().map(TypedValues::toApi).ifPresent(message::setSpec);
    return message.build();
  }

  /** A message as a record; absent times are the epoch. */
  public static Sandbox toCore(io.jcontainerd.api.types.Sandbox message) {
    return new Sandbox(
        message.getSandboxId(),
        message.getSandboxer(),
        toCore(message.getRuntime()),
        TypedValues.toCore(message.hasSpec(), message.getSpec()),
        message.getLabelsMap(),
        TypedValues.toCore(message.getExtensionsMap()),
        Times.toCore(message.getCreatedAt()),
        Times.toCore(message.getUpdatedAt()));
  }

  private static io.jcontainerd.api.types.Sandbox.Runtime toApi(Sandbox.Runtime runtime) {
    var message = io.jcontainerd.api.types.Sandbox.Runtime.newBuilder().setName(runtime.name());
    runtime.options().map(TypedValues::toApi).ifPresent(message::setOptions);
    return message.build();
  }

  private static Sandbox.Runtime toCore(io.jcontainerd.api.types.Sandbox.Runtime message) {
    return new Sandbox.Runtime(
        message.getName(), TypedValues.toCore(message.hasOptions(), message.getOptions()));
  }
}
