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
 * @param linger how long it stays after its last client is gone; if given, clients cannot ask it to
 *     leave sooner
 * @param removeOrphans whether containers that an earlier host left are removed without a word, for
 *     a daemon that gives them up with the host, instead of being taken over
 * @param debug whether debug lines are logged
 */
record HostArguments(
    Path socket,
    Path state,
    Path events,
    Optional<Duration> idle,
    Optional<Duration> linger,
    boolean removeOrphans,
    boolean debug) {
  static final String USAGE =
      "usage: shim-host --socket PATH --state DIR --events TTRPC_SOCKET"
          + " [--idle SECONDS|never] [--linger SECONDS] [--orphans adopt|remove]"
          + " [--grpc-address PATH] [--debug]";

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
    Optional<Duration> linger = Optional.empty();
    boolean removeOrphans = false;
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
        case "--linger" -> linger = Optional.of(seconds(name, value(name, rest)));
        case "--orphans" -> removeOrphans = remove(name, value(name, rest));
        case "--debug" -> debug = true;
        default -> throw new InvalidArgumentException("unknown option " + name + "; " + USAGE);
      }
    }
    return new HostArguments(
        required("--socket", socket),
        required("--state", state),
        required("--events", events),
        idle,
        linger,
        removeOrphans,
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
    return Optional.of(seconds("--idle", text));
  }

  private static Duration seconds(String option, String text) {
    try {
      return Duration.ofSeconds(Integer.parseUnsignedInt(text));
    } catch (NumberFormatException e) {
      throw new InvalidArgumentException(
          "option " + option + ": " + text + " is no number of seconds", e);
    }
  }

  private static boolean remove(String option, String text) {
    return switch (text) {
      case "adopt" -> false;
      case "remove" -> true;
      default ->
          throw new InvalidArgumentException("option " + option + ": adopt or remove, not " + text);
    };
  }

  private static Path required(String name, @Nullable Path value) {
    if (value == null) {
      throw new InvalidArgumentException("option " + name + " is missing; " + USAGE);
    }
    return value;
  }
}
