package io.jcontainerd.crash.faults;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.testkit.faults.Faults;
import io.jcontainerd.testkit.files.InMemoryFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.List;

/** How a call fails. */
enum Failing {
  /** {@code EIO}. */
  BROKEN("input/output error", ""),
  /** {@code ENOSPC}. */
  FULL("no space left on device", ""),
  /** {@code EMFILE}: only of calls that open something. */
  TOO_MANY_FILES(
      "too many open files",
      "Files[.](open|list|deleteTree|forceDirectory) .*|Kernel[.]synchroniser .*"),
  /** {@code EINTR}. */
  INTERRUPTED("interrupted system call", ""),
  /** A write that takes fewer bytes than it was given: no failure, but the rest must follow. */
  SHORT_WRITE("", "Handle[.]write .*");

  private final String reason;
  private final String calls;

  Failing(String reason, String calls) {
    this.reason = reason;
    this.calls = calls;
  }

  boolean concerns(String call) {
    return calls.isEmpty() || call.matches(calls);
  }

  /**
   * Lets a call fail.
   *
   * @param number the call, counted from 1
   * @param calls what the calls are
   * @param files that the calls work on; what a broken force was to save is lost
   */
  Faults at(int number, List<String> calls, InMemoryFiles files) {
    String call = calls.get(number - 1);
    return switch (this) {
      case SHORT_WRITE -> Faults.shortening(number);
      case FULL -> Faults.failing(number, _ -> new NoSpaceException("a file"));
      case BROKEN -> {
        if (isForce(call)) {
          files.breakForce((int) calls.stream().limit(number).filter(Failing::isForce).count());
          yield Faults.none();
        }
        yield Faults.failing(number, _ -> broken(call, files));
      }
      case TOO_MANY_FILES, INTERRUPTED -> Faults.failing(number, _ -> failure());
    };
  }

  private static boolean isForce(String call) {
    return call.startsWith("Handle.force");
  }

  private Throwable broken(String call, InMemoryFiles files) {
    try {
      if (call.startsWith("Synchroniser.synchronise")) {
        files.loseUnforced(World.ROOT.resolve("overlayfs"));
        files.loseUnforced(World.ROOT.resolve("native"));
      }
      return failure();
    } catch (IOException e) {
      return e;
    }
  }

  private FileSystemException failure() {
    return new FileSystemException("a file", null, reason);
  }

  /** Whether the failure that a caller got tells what happened, and to what. */
  boolean isClear(ContainerdException told) {
    boolean kind = (this == FULL) == (told instanceof ResourceExhaustedException);
    return this != SHORT_WRITE
        && kind
        && String.valueOf(told.getMessage()).matches("(?s)[a-z].+: .*" + reason + ".*");
  }
}
