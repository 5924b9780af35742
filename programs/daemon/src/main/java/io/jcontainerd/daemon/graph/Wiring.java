package io.jcontainerd.daemon.graph;

import java.util.Map;
import java.util.Optional;

/** What a starting plug-in may ask of those that started before it. */
public interface Wiring {
  /**
   * The instance of another plug-in.
   *
   * @throws io.jcontainerd.core.failure.UnavailableException naming it and why it is not there
   */
  <T> T get(PluginKey<T> key);

  /** The same, or nothing if it was disabled, skipped or failed. */
  <T> Optional<T> find(PluginKey<T> key);

  /** Every instance of a type, by id, in the order of their starts. */
  <T> Map<String, T> all(String type, Class<T> makes);

  /**
   * The same, for those of a type that must not be missed.
   *
   * @throws io.jcontainerd.core.failure.UnavailableException naming one that was to start and did
   *     not, and why
   */
  <T> Map<String, T> everyOne(String type, Class<T> makes);
}
