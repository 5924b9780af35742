package io.jcontainerd.store;

import org.jspecify.annotations.Nullable;

/**
 * The store could not do what it was asked, told by kind. Engines turn it into a failure of core;
 * it does not cross a room's border.
 */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What a caller can do about it. */
  public enum Kind {
    /** The disk is full: free space; deleting still works. */
    FULL,
    /** The file is damaged: restore it from a copy. */
    CORRUPT,
    /** Another daemon has it: stop that one, or use another root. */
    LOCKED,
    /** It was closed: the daemon is ending. */
    CLOSED,
    /** Too many wait already or it took too long: try again. */
    BUSY,
    /** The waiting thread was interrupted; nothing was changed. */
    INTERRUPTED,
    /** A newer daemon wrote it: use that one. */
    TOO_NEW,
    /** The events asked for are no longer kept. */
    EVENTS_LOST,
    /** The machine's disk, file system or native library does not work as it must. */
    BROKEN,
    /** A statement was refused: a bug of the room that wrote it. */
    STATEMENT
  }

  private final Kind kind;

  StoreException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  StoreException(Kind kind, String message) {
    this(kind, message, null);
  }

  /** What a caller can do about it. */
  public Kind kind() {
    return kind;
  }

  @Override
  public String getMessage() {
    String message = super.getMessage();
    return message == null ? "store" : message;
  }
}
