package io.jcontainerd.shim;

import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ConflictException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.NotModifiedException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ClosedByInterruptException;

/**
 * Failures as ttrpc status. Done here and not by the wire room, whose other half needs gRPC: the
 * shim host starts and stays small without it.
 */
final class ShimFailures {
  private static final System.Logger LOG = System.getLogger(ShimFailures.class.getName());

  private ShimFailures() {}

  static TtrpcException status(Throwable thrown) {
    return switch (thrown) {
      case TtrpcException e -> e;
      case ContainerdException e -> known(e);
      case OciRuntimeException e -> bare(StatusCode.UNKNOWN, e);
      case InterruptedException e -> cancelled(e);
      case ClosedByInterruptException e -> cancelled(e);
      case IOException e -> bare(StatusCode.UNKNOWN, e);
      default -> {
        LOG.log(Level.ERROR, "unexpected failure", thrown);
        yield bare(StatusCode.INTERNAL, thrown);
      }
    };
  }

  private static TtrpcException cancelled(Exception e) {
    return new TtrpcException(StatusCode.CANCELLED, "context canceled", e);
  }

  private static TtrpcException known(ContainerdException e) {
    StatusCode code =
        switch (e) {
          case InvalidArgumentException _ -> StatusCode.INVALID_ARGUMENT;
          case NotFoundException _ -> StatusCode.NOT_FOUND;
          case AlreadyExistsException _ -> StatusCode.ALREADY_EXISTS;
          case PermissionDeniedException _ -> StatusCode.PERMISSION_DENIED;
          case ResourceExhaustedException _ -> StatusCode.RESOURCE_EXHAUSTED;
          case FailedPreconditionException _, ConflictException _, NotModifiedException _ ->
              StatusCode.FAILED_PRECONDITION;
          case AbortedException _ -> StatusCode.ABORTED;
          case OutOfRangeException _ -> StatusCode.OUT_OF_RANGE;
          case NotImplementedException _ -> StatusCode.UNIMPLEMENTED;
          case InternalException _ -> StatusCode.INTERNAL;
          case UnavailableException _ -> StatusCode.UNAVAILABLE;
          case DataLossException _ -> StatusCode.DATA_LOSS;
          case UnauthenticatedException _ -> StatusCode.UNAUTHENTICATED;
          case CancelledException _ -> StatusCode.CANCELLED;
          case DeadlineExceededException _ -> StatusCode.DEADLINE_EXCEEDED;
          case UnknownException _ -> StatusCode.UNKNOWN;
        };
    return code == StatusCode.UNKNOWN
        ? bare(code, e)
        : new TtrpcException(code, e.getMessage() + ": " + e.suffix(), e);
  }

  private static TtrpcException bare(StatusCode code, Throwable e) {
    String text = e.getMessage();
    return new TtrpcException(code, text == null ? e.toString() : text, e);
  }
}
