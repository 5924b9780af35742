package io.jcontainerd.shim.launch;

import java.time.Duration;
import java.util.Map;

/**
 * What the operator may choose, by variables of the daemon's environment.
 *
 * @param group {@code JCONTAINERD_SHIM_GROUP}: which containers of a daemon share a host
 * @param linger {@code JCONTAINERD_SHIM_LINGER}: for how many seconds a host without containers is
 *     kept for those to come
 */
record Settings(Group group, Duration linger) {
  private static final String LINGER = "60";

  /** Which containers of a daemon share a host. */
  enum Group {
    /** All of them. */
    NODE,
    /** Those of a namespace. */
    NAMESPACE,
    /** Those of a pod, as their annotations tell; one outside of pods has its own. */
    POD,
    /** None. */
    CONTAINER;

    /** Whether one without containers may be needed again. */
    boolean outlivesContainers() {
      return this == NODE || this == NAMESPACE;
    }
  }

  static Settings of(Map<String, String> environment) {
    String group = environment.getOrDefault("JCONTAINERD_SHIM_GROUP", "node");
    String linger = environment.getOrDefault("JCONTAINERD_SHIM_LINGER", LINGER);
    Group chosen =
        switch (group) {
          case "node" -> Group.NODE;
          case "namespace" -> Group.NAMESPACE;
          case "pod" -> Group.POD;
          case "container" -> Group.CONTAINER;
          default ->
              throw new LaunchException(
                  "JCONTAINERD_SHIM_GROUP: node, namespace, pod or container, not " + group);
        };
    try {
      return new Settings(chosen, Duration.ofSeconds(Integer.parseUnsignedInt(linger)));
    } catch (NumberFormatException e) {
      throw new LaunchException("JCONTAINERD_SHIM_LINGER is no number of seconds: " + linger, e);
    }
  }
}
