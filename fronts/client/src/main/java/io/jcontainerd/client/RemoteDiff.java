package io.jcontainerd.client;

import io.jcontainerd.api.services.diff.v1.ApplyRequest;
import io.jcontainerd.api.services.diff.v1.DiffGrpc;
import io.jcontainerd.api.services.diff.v1.DiffGrpc.DiffBlockingV2Stub;
import io.jcontainerd.api.services.diff.v1.DiffRequest;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.util.List;

/** The daemon's way of putting layers into trees and making them from trees. For many threads. */
public final class RemoteDiff implements Applier, Comparer {
  private final DiffBlockingV2Stub stub;

  RemoteDiff(Connection connection) {
    this.stub = DiffGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public Descriptor apply(Descriptor layer, List<Mount> mounts, Applier.Options options) {
    if (options.isStandalone()) {
      throw new FailedPreconditionException(
          "layer " + layer.digest() + ": the daemon is told nothing of what it will be put on");
    }
    ApplyRequest request =
        ApplyRequest.newBuilder()
            .setDiff(Types.toApi(layer))
            .addAllMounts(Types.mountsToApi(mounts))
            .putAllPayloads(TypedValues.toApi(options.payloads()))
            .setSyncFs(options.syncFs())
            .build();
    return Types.toCore(Connection.send(() -> stub.apply(request)).getApplied());
  }

  @Override
  public Descriptor compare(List<Mount> lower, List<Mount> upper, Comparer.Options options) {
    DiffRequest.Builder request =
        DiffRequest.newBuilder()
            .addAllLeft(Types.mountsToApi(lower))
            .addAllRight(Types.mountsToApi(upper))
            .setMediaType(options.mediaType())
            .setRef(options.ref())
            .putAllLabels(options.labels());
    options.sourceDateEpoch().map(Times::toApi).ifPresent(request::setSourceDateEpoch);
    return Types.toCore(Connection.send(() -> stub.diff(request.build())).getDiff());
  }
}
