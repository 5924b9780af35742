package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.operations.v1.GetOperationResponse;
import io.jcontainerd.api.operations.v1.JoinOperationRequest;
import io.jcontainerd.api.operations.v1.JoinOperationResponse;
import io.jcontainerd.api.operations.v1.ListOperationsResponse;
import io.jcontainerd.api.operations.v1.OperationsGrpc;
import io.jcontainerd.api.operations.v1.WatchOperationsRequest;
import io.jcontainerd.api.operations.v1.WatchOperationsResponse;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.OperationMessages;
import java.time.Duration;
import java.util.Optional;

/** {@code jcontainerd.services.operations.v1.Operations}. */
final class OperationsService {
  /** How long a quiet watch sleeps between looks at its own end. */
  private static final Duration QUIET = Duration.ofMinutes(1);

  private static final Duration USUAL_JOIN = Duration.ofMinutes(10);

  private final Operations operations;

  OperationsService(Operations operations) {
    this.operations = operations;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(OperationsGrpc.getServiceDescriptor(), time)
        .unary(
            OperationsGrpc.getListMethod(),
            request ->
                ListOperationsResponse.newBuilder()
                    .addAllOperations(
                        operations.list(request.getFiltersList(), request.getClosely()).stream()
                            .map(OperationMessages::toApi)
                            .toList())
                    .build())
        .serverStream(OperationsGrpc.getWatchMethod(), this::watch)
        .unary(
            OperationsGrpc.getGetMethod(),
            request ->
                GetOperationResponse.newBuilder()
                    .setOperation(
                        OperationMessages.toApi(
                            operations.get(request.getId(), request.getClosely())))
                    .build())
        .unary(
            OperationsGrpc.getCancelMethod(),
            request -> {
              operations.cancel(request.getId());
              return Empty.getDefaultInstance();
            })
        .unary(OperationsGrpc.getJoinMethod(), this::join)
        .build();
  }

  private JoinOperationResponse join(JoinOperationRequest request) throws InterruptedException {
    Duration limit =
        request.hasLimit()
            ? Duration.ofSeconds(request.getLimit().getSeconds(), request.getLimit().getNanos())
            : USUAL_JOIN;
    return JoinOperationResponse.newBuilder()
        .setOperation(OperationMessages.toApi(operations.join(request.getId(), limit)))
        .build();
  }

  private void watch(WatchOperationsRequest request, Sink<WatchOperationsResponse> answers)
      throws InterruptedException {
    try (Operations.Watch watch = operations.watch(request.getFiltersList())) {
      answers.open();
      while (true) {
        Optional<Operations.Changed> next = watch.next(QUIET);
        if (next.isPresent()) {
          answers.send(OperationMessages.toApi(next.get()));
        }
      }
    }
  }
}
