package io.jcontainerd.wire;

import io.jcontainerd.api.operations.v1.Helper;
import io.jcontainerd.api.operations.v1.WatchOperationsResponse;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.Operations.Change;
import io.jcontainerd.core.operation.Operations.Changed;
import java.util.Optional;

/** Operations. */
public final class OperationMessages {
  private OperationMessages() {}

  /** An operation. */
  public static io.jcontainerd.api.operations.v1.Operation toApi(Operation operation) {
    return io.jcontainerd.api.operations.v1.Operation.newBuilder()
        .setId(operation.id())
        .setKind(operation.kind())
        .setNamespace(operation.namespace())
        .setKey(operation.key())
        .setStage(operation.stage())
        .setWaitsFor(operation.waitsFor())
        .setSince(Times.toApi(operation.since()))
        .setStageSince(Times.toApi(operation.stageSince()))
        .setOwner(operation.owner())
        .setJoined(operation.joined())
        .setCancellable(operation.cancellable())
        .addAllHelpers(operation.helpers().stream().map(OperationMessages::toApi).toList())
        .setOutcome(operation.outcome().orElse(""))
        .build();
  }

  private static Helper toApi(Operation.Helper helper) {
    return Helper.newBuilder()
        .setPid(helper.pid())
        .setCommand(helper.command())
        .setState(helper.state())
        .setWaitChannel(helper.waitChannel())
        .addAllStack(helper.stack())
        .build();
  }

  /** An operation. */
  public static Operation toCore(io.jcontainerd.api.operations.v1.Operation operation) {
    return new Operation(
        operation.getId(),
        operation.getKind(),
        operation.getNamespace(),
        operation.getKey(),
        operation.getStage(),
        operation.getWaitsFor(),
        Times.toCore(operation.getSince()),
        Times.toCore(operation.getStageSince()),
        operation.getOwner(),
        operation.getJoined(),
        operation.getCancellable(),
        operation.getHelpersList().stream().map(OperationMessages::toCore).toList(),
        Optional.of(operation.getOutcome()).filter(outcome -> !outcome.isEmpty()));
  }

  private static Operation.Helper toCore(Helper helper) {
    return new Operation.Helper(
        helper.getPid(),
        helper.getCommand(),
        helper.getState(),
        helper.getWaitChannel(),
        helper.getStackList());
  }

  /** A change. */
  public static WatchOperationsResponse toApi(Changed changed) {
    return WatchOperationsResponse.newBuilder()
        .setChange(
            switch (changed.change()) {
              case BEGUN -> io.jcontainerd.api.operations.v1.Change.BEGUN;
              case MOVED -> io.jcontainerd.api.operations.v1.Change.MOVED;
              case ENDED -> io.jcontainerd.api.operations.v1.Change.ENDED;
            })
        .setOperation(toApi(changed.operation()))
        .build();
  }

  /**
   * A change.
   *
   * @throws InvalidArgumentException if it is of a kind that is not known
   */
  public static Changed toCore(WatchOperationsResponse response) {
    Change change =
        switch (response.getChange()) {
          case BEGUN -> Change.BEGUN;
          case MOVED -> Change.MOVED;
          case ENDED -> Change.ENDED;
          case CHANGE_UNSPECIFIED, UNRECOGNIZED ->
              throw new InvalidArgumentException(
                  "operation " + response.getOperation().getId() + ": unknown change");
        };
    return new Changed(change, toCore(response.getOperation()));
  }
}
