package io.jcontainerd.cli;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;

/** Says what went wrong and what to do next. */
final class Advice {
  private Advice() {}

  static String text(ContainerdException failure) {
    return Printable.text(String.valueOf(failure.getMessage()));
  }

  /** What to do next; empty if that is not known. */
  static String next(ContainerdException failure) {
    return switch (failure) {
      case UnavailableException _ when isOfTheSocket(failure) ->
          "is the daemon running? name its socket with --address, or start it: systemctl start"
              + " jcontainerd";
      case PermissionDeniedException _ when !isOfImage(failure) ->
          "the socket belongs to root: try sudo";
      case NotImplementedException _ ->
          "the daemon at this socket is another one, or older: only jcontainerd answers this";
      case NotFoundException _ when text(failure).startsWith("operation ") ->
          "it may have ended: jctr ops shows what goes on";
      case OutOfRangeException _ when text(failure).startsWith("event ") ->
          "the numbers begin anew with a new root: jctr events --from oldest shows what is recorded";
      case NotFoundException _ -> "ctr content ls and ctr snapshots ls show what there is";
      case ResourceExhaustedException _ ->
          "make room: jctr du shows what takes it, ctr images rm removes images";
      default -> "";
    };
  }

  /** What a registry or a verifier refuses, no other user of this machine gets. */
  private static boolean isOfImage(ContainerdException failure) {
    return text(failure).startsWith("image ");
  }

  /** What the daemon itself could not reach came as mere words. */
  private static boolean isOfTheSocket(Throwable failure) {
    Throwable at = failure;
    while (at != null && !(at instanceof IOException)) {
      at = at.getCause();
    }
    return at != null;
  }
}
