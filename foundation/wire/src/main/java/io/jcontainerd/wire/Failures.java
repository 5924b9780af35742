package io.jcontainerd.wire;

import com.google.rpc.Code;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
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
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Failures and status, the one place for both directions and for gRPC and ttrpc alike.
 *
 * <p>The classes share codes (conflict, not modified and failed precondition are all 9), so the
 * text ends in the class's own words, {@code content sha256:…: not found}, and a reader tells the
 * class from code and words. Going in, the words are taken off again, so that a failure handed on
 * through several processes says them once.
 */
public final class Failures {
  /** Of the 8 KiB that clients allow for all headers together. */
  private static final int LONGEST_HEADER = 6 << 10;

  private static final String CUT = "…";

  private Failures() {}

  /** The code of a failure, as in {@code google.rpc.Code}. */
  public static int code(ContainerdException failure) {
    return grpcCode(failure).value();
  }

  /**
   * What a failure says on the wire: its message and the words of its class, once. A message may
   * quote what a stranger made, and clients print it as it is: so it says nothing to a terminal.
   */
  public static String text(ContainerdException failure) {
    String message = printable(failure.getMessage());
    if (failure instanceof UnknownException) {
      return message;
    }
    String words = failure.suffix();
    return message.equals(words) || message.endsWith(": " + words)
        ? message
        : message + ": " + words;
  }

  private static String printable(String message) {
    if (message.chars().noneMatch(Failures::isControl)) {
      return message;
    }
    StringBuilder shown = new StringBuilder();
    message
        .chars()
        .forEach(c -> shown.append(isControl(c) ? "\\u%04x".formatted(c) : (char) c + ""));
    return shown.toString();
  }

  private static boolean isControl(int c) {
    return Character.isISOControl(c) && c != '\n' && c != '\t';
  }

  /** A failure as the status that ttrpc and plug-in lists carry. */
  public static com.google.rpc.Status toStatus(ContainerdException failure) {
    return com.google.rpc.Status.newBuilder()
        .setCode(code(failure))
        .setMessage(text(failure))
        .build();
  }

  /**
   * A failure as gRPC's status. A text that would fill the headers of an answer is cut, for clients
   * that get too many of them drop all, the code included.
   */
  public static Status toGrpc(ContainerdException failure) {
    return Status.fromCode(grpcCode(failure)).withDescription(fitting(failure)).withCause(failure);
  }

  private static String fitting(ContainerdException failure) {
    String text = text(failure);
    int end = prefix(text, LONGEST_HEADER);
    if (end == text.length()) {
      return text;
    }
    String last = failure instanceof UnknownException ? CUT : CUT + ": " + failure.suffix();
    return text.substring(0, prefix(text, LONGEST_HEADER - encoded(last))) + last;
  }

  private static int encoded(String text) {
    return text.codePoints().map(Failures::encoded).sum();
  }

  /** How many characters fit into so many bytes of a header. */
  private static int prefix(String text, int bytes) {
    int left = bytes;
    int at = 0;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      left -= encoded(c);
      if (left < 0) {
        return at;
      }
      at += Character.charCount(c);
    }
    return at;
  }

  /** What a character takes in the header grpc-message, which escapes each byte with three. */
  private static int encoded(int c) {
    if (c >= ' ' && c <= '~' && c != '%') {
      return 1;
    }
    int bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    return 3 * bytes;
  }

  /**
   * The failure that a peer told.
   *
   * @param code as in {@code google.rpc.Code}; not 0
   * @param text as it came
   */
  public static ContainerdException toCore(int code, String text) {
    return toCore(code, text, null);
  }

  /** The failure that a peer told over ttrpc. */
  public static ContainerdException toCore(com.google.rpc.Status status) {
    return toCore(status.getCode(), status.getMessage());
  }

  /** The failure that a peer told over gRPC. */
  public static ContainerdException toCore(StatusRuntimeException failure) {
    return toCore(failure.getStatus(), failure);
  }

  /** The failure that a peer told over gRPC. */
  public static ContainerdException toCore(StatusException failure) {
    return toCore(failure.getStatus(), failure);
  }

  private static ContainerdException toCore(Status status, Throwable cause) {
    String text = status.getDescription();
    return toCore(status.getCode().value(), text == null ? "" : text, cause);
  }

  private static Status.Code grpcCode(ContainerdException failure) {
    return switch (failure) {
      case InvalidArgumentException _ -> Status.Code.INVALID_ARGUMENT;
      case NotFoundException _ -> Status.Code.NOT_FOUND;
      case AlreadyExistsException _ -> Status.Code.ALREADY_EXISTS;
      case PermissionDeniedException _ -> Status.Code.PERMISSION_DENIED;
      case ResourceExhaustedException _ -> Status.Code.RESOURCE_EXHAUSTED;
      case FailedPreconditionException _ -> Status.Code.FAILED_PRECONDITION;
      case ConflictException _ -> Status.Code.FAILED_PRECONDITION;
      case NotModifiedException _ -> Status.Code.FAILED_PRECONDITION;
      case AbortedException _ -> Status.Code.ABORTED;
      case OutOfRangeException _ -> Status.Code.OUT_OF_RANGE;
      case NotImplementedException _ -> Status.Code.UNIMPLEMENTED;
      case InternalException _ -> Status.Code.INTERNAL;
      case UnavailableException _ -> Status.Code.UNAVAILABLE;
      case DataLossException _ -> Status.Code.DATA_LOSS;
      case UnauthenticatedException _ -> Status.Code.UNAUTHENTICATED;
      case CancelledException _ -> Status.Code.CANCELLED;
      case DeadlineExceededException _ -> Status.Code.DEADLINE_EXCEEDED;
      case UnknownException _ -> Status.Code.UNKNOWN;
    };
  }

  /** As {@link #toCore(int, String)}, keeping what the failure came from. */
  public static ContainerdException toCore(int code, String text, @Nullable Throwable cause) {
    return switch (Code.forNumber(code)) {
      case INVALID_ARGUMENT ->
          make(text, cause, InvalidArgumentException::new, InvalidArgumentException::new);
      case NOT_FOUND -> make(text, cause, NotFoundException::new, NotFoundException::new);
      case ALREADY_EXISTS ->
          make(text, cause, AlreadyExistsException::new, AlreadyExistsException::new);
      case PERMISSION_DENIED ->
          make(text, cause, PermissionDeniedException::new, PermissionDeniedException::new);
      case RESOURCE_EXHAUSTED ->
          make(text, cause, ResourceExhaustedException::new, ResourceExhaustedException::new);
      case FAILED_PRECONDITION -> precondition(text, cause);
      case ABORTED -> make(text, cause, AbortedException::new, AbortedException::new);
      case OUT_OF_RANGE -> make(text, cause, OutOfRangeException::new, OutOfRangeException::new);
      case UNIMPLEMENTED ->
          make(text, cause, NotImplementedException::new, NotImplementedException::new);
      case INTERNAL -> make(text, cause, InternalException::new, InternalException::new);
      case UNAVAILABLE -> make(text, cause, UnavailableException::new, UnavailableException::new);
      case DATA_LOSS -> make(text, cause, DataLossException::new, DataLossException::new);
      case UNAUTHENTICATED ->
          make(text, cause, UnauthenticatedException::new, UnauthenticatedException::new);
      case CANCELLED -> make(text, cause, CancelledException::new, CancelledException::new);
      case DEADLINE_EXCEEDED ->
          make(text, cause, DeadlineExceededException::new, DeadlineExceededException::new);
      case OK -> throw new IllegalArgumentException("status ok is no failure");
      case UNKNOWN, UNRECOGNIZED -> make(text, cause, UnknownException::new, UnknownException::new);
      case null -> make(text, cause, UnknownException::new, UnknownException::new);
    };
  }

  private static ContainerdException precondition(String text, @Nullable Throwable cause) {
    if (endsWith(text, "conflict")) {
      return make(text, cause, ConflictException::new, ConflictException::new);
    }
    if (endsWith(text, "not modified")) {
      return make(text, cause, NotModifiedException::new, NotModifiedException::new);
    }
    return make(text, cause, FailedPreconditionException::new, FailedPreconditionException::new);
  }

  private static boolean endsWith(String text, String words) {
    return text.equals(words) || text.endsWith(": " + words);
  }

  private static ContainerdException make(
      String text,
      @Nullable Throwable cause,
      Function<String, ContainerdException> alone,
      BiFunction<String, Throwable, ContainerdException> caused) {
    String words = ": " + alone.apply(text).suffix();
    String message =
        text.endsWith(words) ? text.substring(0, text.length() - words.length()) : text;
    return cause == null ? alone.apply(message) : caused.apply(message, cause);
  }
}
