package io.jcontainerd.daemon.graph;

import io.jcontainerd.core.Platform;
import java.util.List;
import java.util.Map;

/**
 * What a plug-in has become.
 *
 * @param instance closed with the graph if it is {@link AutoCloseable}
 * @param platforms that it serves
 * @param exports facts for clients
 * @param capabilities words for clients
 */
public record Started<T>(
    T instance, List<Platform> platforms, Map<String, String> exports, List<String> capabilities) {
  public Started {
    platforms = List.copyOf(platforms);
    exports = Map.copyOf(exports);
    capabilities = List.copyOf(capabilities);
  }

  public static <T> Started<T> of(T instance) {
    return new Started<>(instance, List.of(), Map.of(), List.of());
  }

  public Started<T> on(Platform platform) {
    return new Started<>(instance, List.of(platform), exports, capabilities);
  }

  public Started<T> capableOf(List<String> words) {
    return new Started<>(instance, platforms, exports, words);
  }

  public Started<T> exporting(Map<String, String> facts) {
    return new Started<>(instance, platforms, facts, capabilities);
  }
}
