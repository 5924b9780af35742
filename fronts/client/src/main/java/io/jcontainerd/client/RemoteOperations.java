package io.jcontainerd.client;

import com.google.protobuf.Empty;
import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.operations.v1.CancelOperationRequest;
import io.jcontainerd.api.operations.v1.GetOperationRequest;
import io.jcontainerd.api.operations.v1.JoinOperationRequest;
import io.jcontainerd.api.operations.v1.ListOperationsRequest;
import io.jcontainerd.api.operations.v1.OperationsGrpc;
import io.jcontainerd.api.operations.v1.OperationsGrpc.OperationsBlockingV2Stub;
import io.jcontainerd.api.operations.v1.WatchOperationsRequest;
import io.jcontainerd.api.operations.v1.WatchOperationsResponse;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.wire.OperationMessages;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the daemon is doing, in all namespaces; only jcontainerd tells. Safe for many threads. */
public final class RemoteOperations implements Operations {
  private final OperationsBlockingV2Stub stub;

  RemoteOperations(Connection connection) {
    this.stub = OperationsGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public List<Operation> list(List<String> filters, boolean closely) {
    ListOperationsRequest request =
        ListOperationsRequest.newBuilder().addAllFilters(filters).setClosely(closely).build();
    return Connection.send(() -> stub.list(request)).getOperationsList().stream()
        .map(OperationMessages::toCore)
        .toList();
  }

  @Override
  public Operation get(String id, boolean closely) {
    GetOperationRequest request =
        GetOperationRequest.newBuilder().setId(id).setClosely(closely).build();
    return OperationMessages.toCore(Connection.send(() -> stub.get(request)).getOperation());
  }

  @Override
  public void cancel(String id) {
    CancelOperationRequest request = CancelOperationRequest.newBuilder().setId(id).build();
    Empty _ = Connection.send(() -> stub.cancel(request));
  }

  @Override
  public Operation join(String id, Duration limit) throws InterruptedException {
    JoinOperationRequest request =
        JoinOperationRequest.newBuilder()
            .setId(id)
            .setLimit(
                com.google.protobuf.Duration.newBuilder()
                    .setSeconds(limit.toSeconds())
                    .setNanos(limit.toNanosPart()))
            .build();
    return OperationMessages.toCore(
        Connection.sendInterruptibly(() -> stub.join(request)).getOperation());
  }

  @Override
  public Watch watch(List<String> filters) {
    return new RemoteWatch(
        stub.watch(WatchOperationsRequest.newBuilder().addAllFilters(filters).build()));
  }

  private record RemoteWatch(BlockingClientCall<?, WatchOperationsResponse> call) implements Watch {
    @Override
    public Optional<Changed> next(Duration timeout) throws InterruptedException {
      return Connection.sendInterruptibly(
          () -> {
            try {
              @Nullable WatchOperationsResponse response =
                  call.read(timeout.toNanos(), TimeUnit.NANOSECONDS);
              if (response == null) {
                throw new UnavailableException("operations: the daemon ended the watch");
              }
              return Optional.of(OperationMessages.toCore(response));
            } catch (TimeoutException _) {
              return Optional.empty();
            }
          });
    }

    @Override
    public void close() {
      call.cancel("the watch was closed", null);
    }
  }
}
