package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The command line of the host.
 *
 * @param socket where the task service is served
 * @param state the state folder, for this host alone
 * @param events the daemon's ttrpc socket
 * @param idle how long the host waits for its first client before it leaves; it leaves sooner once
 *     the last client is gone and no container is left; never if empty
 * @param debug whether debug lines are logged
 */
record HostArguments(Path socket, Path state, Path events, Optional<Duration> idle, boolean debug) {
  static final String USAGE =
      "usage: shim-host --socket PATH --state DIR --events TTRPC_SOCKET"
          + " [--idle SECONDS|never] [--grpc-address PATH] [--debug]";

  private static final Duration DEFAULT_IDLE = Duration.ofSeconds(10);

  /**
   * Reads the command line.
   *
   * @throws InvalidArgumentException with a sentence that says what is wrong
   */
  static HostArguments parse(String... arguments) {
    Path socket = null;
    Path state = null;
    Path events = null;
    Optional<Duration> idle = Optional.of(DEFAULT_IDLE);
    boolean debug = false;
    Iterator<String> rest = Arrays.asList(arguments).iterator();
    while (rest.hasNext()) {
      String name = rest.next();
      switch (name) {
        case "--socket" -> socket = path(name, rest);
        case "--state" -> state = path(name, rest);
        case "--events" -> events = path(name, rest);
        case "--grpc-address" -> value(name, rest); // part of every shim's command line; not needed
        case "--idle" -> idle = idle(value(name, rest));
        case "--debug" -> debug = true;
        default -> throw new InvalidArgumentException("unknown option " + name + "; " + USAGE);
      }
    }
    return new HostArguments(
        required("--socket", socket),
        required("--state", state),
        required("--events", events),
        idle,
        debug);
  }

  private static String value(String name, Iterator<String> rest) {
    if (!rest.hasNext()) {
      throw new InvalidArgumentException("option " + name + " needs a value; " + USAGE);
    }
    return rest.next();
  }

  private static Path path(String name, Iterator<String> rest) {
    return Path.of(value(name, rest)).toAbsolutePath().normalize();
  }

  private static Optional<Duration> idle(String text) {
    if (text.equals("never")) {
      return Optional.empty();
    }
    try {
      return Optional.of(Duration.ofSeconds(Integer.parseUnsignedInt(text)));
    } catch (NumberFormatException e) {
      throw new InvalidArgumentException("option --idle: " + text + " is no number of seconds", e);
    }
  }

  private static Path required(String name, @Nullable Path value) {
    if (value == null) {
      throw new InvalidArgumentException("option " + name + " is missing; " + USAGE);
    }
    return value;
  }
}
