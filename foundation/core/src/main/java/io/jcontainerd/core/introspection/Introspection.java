package io.jcontainerd.core.introspection;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the daemon tells about itself. Safe for many threads. */
public interface Introspection {
  /**
   * A plug-in.
   *
   * @param type such as {@code io.containerd.snapshotter.v1}
   * @param id such as {@code overlayfs}
   * @param requires types it needs
   * @param platforms it serves
   * @param exports facts for clients
   * @param capabilities words for clients
   * @param failure why it is not there; its message holds {@code skip plugin} if it was left out on
   *     purpose
   */
  record Plugin(
      String type,
      String id,
      List<String> requires,
      List<Platform> platforms,
      Map<String, String> exports,
      List<String> capabilities,
      Optional<Failure> failure) {
    /** Copies the collections. */
    public Plugin {
      requires = List.copyOf(requires);
      platforms = List.copyOf(platforms);
      exports = Map.copyOf(exports);
      capabilities = List.copyOf(capabilities);
    }
  }

  /**
   * Why a plug-in is not there.
   *
   * @param code a gRPC status code
   * @param message for people
   */
  record Failure(int code, String message) {}

  /**
   * A use of something that will go away.
   *
   * @param id its name
   * @param message what to do instead
   * @param lastOccurrence when it was last seen
   */
  record Deprecation(String id, String message, Instant lastOccurrence) {}

  /**
   * The daemon.
   *
   * @param uuid kept in its root folder
   * @param pid of the process
   * @param pidNamespace the inode of its pid namespace
   * @param deprecations that were seen
   */
  record Server(String uuid, long pid, long pidNamespace, List<Deprecation> deprecations) {}

  /** Plug-ins in the order in which they were started. */
  List<Plugin> plugins();

  /** The daemon itself. */
  Server server();

  /**
   * More about one plug-in.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none of that name
   * @throws io.jcontainerd.core.failure.NotImplementedException if it has nothing to tell
   */
  TypedValue info(String type, String id, Optional<TypedValue> options);
}
