package io.jcontainerd.shim;

import com.google.protobuf.Empty;
import io.jcontainerd.api.operations.v1.CancelOperationRequest;
import io.jcontainerd.api.operations.v1.ListOperationsRequest;
import io.jcontainerd.api.operations.v1.ListOperationsResponse;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.ttrpc.TtrpcService;

/**
 * Tells the daemon what this host does, and ends it when asked. No other shim has this service, and
 * none needs it.
 */
final class HostOperations {
  private HostOperations() {}

  static TtrpcService service(Operations operations) {
    return TtrpcService.named("jcontainerd.services.operations.v1.Operations")
        .unary(
            "List",
            ListOperationsRequest.parser(),
            (request, _) ->
                ListOperationsResponse.newBuilder()
                    .addAllOperations(
                        operations.list(request.getFiltersList(), false).stream()
                            .map(HostOperations::message)
                            .toList())
                    .build())
        .unary(
            "Cancel",
            CancelOperationRequest.parser(),
            (request, _) -> {
              operations.cancel(request.getId());
              return Empty.getDefaultInstance();
            })
        .build();
  }

  /** Done here and not by the wire room, see {@link ShimFailures}. */
  private static io.jcontainerd.api.operations.v1.Operation message(Operation operation) {
    return io.jcontainerd.api.operations.v1.Operation.newBuilder()
        .setId(operation.id())
        .setKind(operation.kind())
        .setNamespace(operation.namespace())
        .setKey(operation.key())
        .setStage(operation.stage())
        .setWaitsFor(operation.waitsFor())
        .setSince(EventPublisher.timestamp(operation.since()))
        .setStageSince(EventPublisher.timestamp(operation.stageSince()))
        .setCancellable(operation.cancellable())
        .build();
  }
}
