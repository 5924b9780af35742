package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Map;
import java.util.Set;

/**
 * What the labels of a container ask for.
 *
 * @param running whether it shall run; else it shall be stopped
 * @param policy when it is run again
 * @param count how often it was
 * @param explicitlyStopped whether somebody stopped it on purpose
 * @param logUri where its output goes; empty for nowhere
 */
record Wish(
    boolean running, RestartPolicy policy, int count, boolean explicitlyStopped, String logUri) {
  private static final String PREFIX = "containerd.io/restart.";
  static final String STATUS = PREFIX + "status";
  static final String POLICY = PREFIX + "policy";
  static final String COUNT = PREFIX + "count";
  static final String EXPLICITLY_STOPPED = PREFIX + "explicitly-stopped";
  static final String LOG_URI = PREFIX + "loguri";

  private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "True", "TRUE");

  /**
   * Reads labels, of which {@link #STATUS} is one.
   *
   * @throws InvalidArgumentException if they make no sense
   */
  static Wish of(Map<String, String> labels) {
    String status = labels.getOrDefault(STATUS, "");
    if (!status.equals("running") && !status.equals("stopped")) {
      throw new InvalidArgumentException(
          "label " + STATUS + " is \"" + status + "\", neither running nor stopped");
    }
    String count = labels.getOrDefault(COUNT, "");
    return new Wish(
        status.equals("running"),
        RestartPolicy.parse(labels.getOrDefault(POLICY, "")),
        count.isEmpty() ? 0 : Numbers.natural(count, COUNT + "=" + count),
        TRUE.contains(labels.getOrDefault(EXPLICITLY_STOPPED, "")),
        labels.getOrDefault(LOG_URI, ""));
  }
}
