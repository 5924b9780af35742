package io.jcontainerd.runtime.bundle;

import java.nio.file.Path;

/**
 * Where a task lives on disk.
 *
 * @param namespace the task's
 * @param id the container's
 * @param path the bundle itself, below the state folder
 * @param work kept below the root folder, for the shim's use
 */
public record Bundle(String namespace, String id, Path path, Path work) {
  /** The OCI specification. */
  public static final String CONFIG = "config.json";

  /** How to reach the shim. */
  public static final String BOOTSTRAP = "bootstrap.json";

  /** The shim's program. */
  public static final String SHIM_BINARY = "shim-binary-path";

  /** The sandbox's id. */
  public static final String SANDBOX = "sandbox";

  /** How to reach a shim of old. */
  public static final String OLD_ADDRESS = "address";

  /** The process of a shim of its own: number and start time in clock ticks since boot. */
  public static final String SHIM_PROCESS = "shim-process";

  /** Marks that the exit of the init process was told. */
  public static final String EXIT_EVENT = "exit-event";

  /**
   * The images that the task is brought back from, until it has begun. Not in the bundle itself:
   * the state folder is often kept in memory, and on another file system than what is moved here.
   */
  public Path checkpoint() {
    return work.resolve("checkpoint");
  }

  /** Where the root file system is mounted. */
  public Path rootfs() {
    return path.resolve("rootfs");
  }

  /** The FIFO of the shim's log lines. */
  public Path log() {
    return path.resolve("log");
  }

  /** For messages: {@code bundle NAMESPACE/ID}. */
  @Override
  public String toString() {
    return "bundle " + namespace + "/" + id;
  }
}
