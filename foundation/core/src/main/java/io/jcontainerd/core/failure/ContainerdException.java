package io.jcontainerd.core.failure;

import org.jspecify.annotations.Nullable;

/**
 * A failure that a caller may have to act on, in the classes that containerd's clients know.
 *
 * <p>The message names the thing and its key, in lower case and without a full stop, such as {@code
 * content sha256:…}; the class adds its own words on the wire (see {@link #suffix()}), so a message
 * does not repeat them. Anything that is not of this family is a bug of ours.
 */
public abstract sealed class ContainerdException extends RuntimeException
    permits InvalidArgumentException,
        NotFoundException,
        AlreadyExistsException,
        PermissionDeniedException,
        ResourceExhaustedException,
        FailedPreconditionException,
        ConflictException,
        NotModifiedException,
        AbortedException,
        OutOfRangeException,
        NotImplementedException,
        InternalException,
        UnavailableException,
        DataLossException,
        UnauthenticatedException,
        CancelledException,
        DeadlineExceededException,
        UnknownException {

  private static final long serialVersionUID = 1L;

  ContainerdException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The words that follow the message on the wire, without the colon: {@code not found}. */
  public abstract String suffix();

  @Override
  public String getMessage() {
    String message = super.getMessage();
    return message == null ? suffix() : message;
  }
}
