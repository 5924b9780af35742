package io.jcontainerd.oci.runtime;

import io.jcontainerd.oci.json.JsonObject;
import java.util.Optional;

/**
 * One entry of {@code linux.namespaces}: a namespace that the container does not share with the
 * runtime.
 *
 * @param type one of the constants here, or another that the runtime knows
 * @param path the namespace file to join; empty for a new namespace
 */
public record LinuxNamespace(String type, Optional<String> path) {
  /** Process ids. */
  public static final String PID = "pid";

  /** Network devices, addresses and ports. */
  public static final String NETWORK = "network";

  /** Mount points. */
  public static final String MOUNT = "mount";

  /** System V and POSIX message queues. */
  public static final String IPC = "ipc";

  /** Host and domain name. */
  public static final String UTS = "uts";

  /** User and group ids. */
  public static final String USER = "user";

  /** The view of the cgroup tree. */
  public static final String CGROUP = "cgroup";

  /** Clocks. */
  public static final String TIME = "time";

  /** A new namespace of the type. */
  public static LinuxNamespace fresh(String type) {
    return new LinuxNamespace(type, Optional.empty());
  }

  /** An existing namespace. */
  public static LinuxNamespace at(String type, String path) {
    return new LinuxNamespace(type, Optional.of(path));
  }

  static LinuxNamespace of(JsonObject json) {
    return new LinuxNamespace(
        json.string("type").orElse(""), json.string("path").filter(p -> !p.isEmpty()));
  }

  JsonObject json() {
    JsonObject json = JsonObject.EMPTY.with("type", type);
    return path.map(p -> json.with("path", p)).orElse(json);
  }
}
