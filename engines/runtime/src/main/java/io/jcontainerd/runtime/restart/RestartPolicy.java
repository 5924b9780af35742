package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.failure.InvalidArgumentException;

/**
 * Whether a container whose process has ended is run again.
 *
 * @param kind what it depends on
 * @param most how often at most, for {@link Kind#ON_FAILURE}; 0 for as often as it fails
 */
record RestartPolicy(Kind kind, int most) {
  enum Kind {
    NO,
    ALWAYS,
    ON_FAILURE,
    UNLESS_STOPPED
  }

  /**
   * Reads the label's text; the empty one means always.
   *
   * @throws InvalidArgumentException if it is none
   */
  static RestartPolicy parse(String text) {
    return switch (text) {
      case "no" -> new RestartPolicy(Kind.NO, 0);
      case "", "always" -> new RestartPolicy(Kind.ALWAYS, 0);
      case "unless-stopped" -> new RestartPolicy(Kind.UNLESS_STOPPED, 0);
      case "on-failure" -> new RestartPolicy(Kind.ON_FAILURE, 0);
      default -> {
        if (!text.startsWith("on-failure:")) {
          throw new InvalidArgumentException("restart policy \"" + text + "\" is not known");
        }
        yield new RestartPolicy(
            Kind.ON_FAILURE, Numbers.natural(text.substring("on-failure:".length()), text));
      }
    };
  }

  /**
   * Whether it is time.
   *
   * @param exitStatus of the process; 0 if nobody knows
   * @param count how often it was run again
   * @param explicitlyStopped whether somebody stopped it on purpose
   */
  boolean wants(int exitStatus, int count, boolean explicitlyStopped) {
    return switch (kind) {
      case NO -> false;
      case ALWAYS -> true;
      case ON_FAILURE -> exitStatus != 0 && (most == 0 || count < most);
      case UNLESS_STOPPED -> !explicitlyStopped;
    };
  }
}
