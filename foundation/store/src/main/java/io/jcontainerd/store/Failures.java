package io.jcontainerd.store;

import java.nio.file.Path;
import java.sql.SQLException;

/** Turns SQLite's failures into ours (result codes: sqlite.org/rescode.html). */
final class Failures {
  private static final int BUSY = 5;
  private static final int READONLY = 8;
  private static final int IOERR = 10;
  private static final int CORRUPT = 11;
  private static final int FULL = 13;
  private static final int CANTOPEN = 14;
  private static final int NOTADB = 26;

  private Failures() {}

  static StoreException of(Path file, String doing, SQLException e) {
    int code = e.getErrorCode() & 0xff; // the higher bits say more of the same
    return switch (code) {
      case FULL ->
          new StoreException(
              StoreException.Kind.FULL,
              "store %s: no space left on device while %s: free some space".formatted(file, doing),
              e);
      case CORRUPT, NOTADB ->
          new StoreException(
              StoreException.Kind.CORRUPT,
              "store %s is damaged: restore it from a copy, or move it away to begin anew (%s)"
                  .formatted(file, e.getMessage()),
              e);
      case IOERR, CANTOPEN, READONLY ->
          new StoreException(
              StoreException.Kind.BROKEN,
              "store %s cannot be used while %s: check the disk and the rights (%s)"
                  .formatted(file, doing, e.getMessage()),
              e);
      case BUSY ->
          new StoreException(
              StoreException.Kind.LOCKED,
              "store %s is locked by another program, perhaps an sqlite3 shell".formatted(file),
              e);
      default ->
          new StoreException(
              StoreException.Kind.STATEMENT,
              "store %s: %s failed: %s".formatted(file, doing, e.getMessage()),
              e);
    };
  }

  /** Whether everything else that shares the transaction is lost too. */
  static boolean endsTransaction(StoreException e) {
    return switch (e.kind()) {
      case FULL, CORRUPT, BROKEN, LOCKED -> true;
      case CLOSED, BUSY, INTERRUPTED, TOO_NEW, EVENTS_LOST, STATEMENT -> false;
    };
  }
}
