package io.jcontainerd.services;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.diff.v1.ApplyRequest;
import io.jcontainerd.api.services.diff.v1.ApplyResponse;
import io.jcontainerd.api.services.diff.v1.DiffGrpc;
import io.jcontainerd.api.services.diff.v1.DiffRequest;
import io.jcontainerd.api.services.diff.v1.DiffResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.util.List;
import java.util.function.Function;

/**
 * {@code containerd.services.diff.v1.Diff}. Asks its differs in order; the next is asked only when
 * one says that it does not know how.
 */
final class DiffService {
  private final List<Applier> appliers;
  private final List<Comparer> comparers;
  private final boolean syncFs;
  private final OperationRegistry operations;

  DiffService(
      List<Applier> appliers,
      List<Comparer> comparers,
      boolean syncFs,
      OperationRegistry operations) {
    this.operations = operations;
    this.appliers = List.copyOf(appliers);
    this.comparers = List.copyOf(comparers);
    this.syncFs = syncFs;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(DiffGrpc.getServiceDescriptor(), time)
        .unary(DiffGrpc.getApplyMethod(), this::apply)
        .unary(DiffGrpc.getDiffMethod(), this::diff)
        .build();
  }

  private ApplyResponse apply(ApplyRequest request) {
    Descriptor layer = Types.toCore(request.getDiff());
    var mounts = Types.mountsToCore(request.getMountsList());
    var options =
        new Applier.Options(
            TypedValues.toCore(request.getPayloadsMap()), syncFs || request.getSyncFs());
    Descriptor applied =
        listed(
            "apply",
            layer.digest().toString(),
            () ->
                firstThatKnows(
                    appliers,
                    applier -> applier.apply(layer, mounts, options),
                    "apply of media type " + layer.mediaType()));
    return ApplyResponse.newBuilder().setApplied(Types.toApi(applied)).build();
  }

  private DiffResponse diff(DiffRequest request) {
    var left = Types.mountsToCore(request.getLeftList());
    var right = Types.mountsToCore(request.getRightList());
    var options =
        new Comparer.Options(
            request.getMediaType(),
            request.getRef(),
            request.getLabelsMap(),
            Times.toCore(request.hasSourceDateEpoch(), request.getSourceDateEpoch()));
    Descriptor made =
        listed(
            "diff",
            request.getRef(),
            () ->
                firstThatKnows(
                    comparers,
                    comparer -> comparer.compare(left, right, options),
                    "diff of media type " + request.getMediaType()));
    return DiffResponse.newBuilder().setDiff(Types.toApi(made)).build();
  }

  /** Lists the work while it goes on; cancelled there, it ends as when its caller leaves. */
  private Descriptor listed(
      String kind, String key, ScopedValue.CallableOp<Descriptor, RuntimeException> work) {
    RunningOperation operation =
        operations.begin(kind, Call.current().namespaceHeader().orElse(""), key);
    try (operation) {
      operation.stage(kind, "the file system of its mounts");
      operation.cancelledBy(Thread.currentThread()::interrupt);
      return operation.call(work);
    } catch (RuntimeException | Error e) {
      operation.failed(e);
      throw e;
    }
  }

  private static <D> Descriptor firstThatKnows(
      List<D> differs, Function<D, Descriptor> ask, String what) {
    NotImplementedException refused = new NotImplementedException(what);
    for (D differ : differs) {
      try {
        return ask.apply(differ);
      } catch (NotImplementedException e) {
        refused.addSuppressed(e);
      }
    }
    throw refused;
  }
}
