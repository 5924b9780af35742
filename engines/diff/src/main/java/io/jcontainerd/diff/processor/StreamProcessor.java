package io.jcontainerd.diff.processor;

import java.util.List;
import java.util.Map;

/**
 * A program that turns layers of one media type into another.
 *
 * @param id by which payloads are meant for it
 * @param accepts media types
 * @param returns the media type that it makes of all of them
 * @param path the program, looked up on the path unless it holds a slash
 * @param arguments of the program
 * @param environment added to the daemon's
 */
public record StreamProcessor(
    String id,
    List<String> accepts,
    String returns,
    String path,
    List<String> arguments,
    Map<String, String> environment) {
  /** Copies the collections. */
  public StreamProcessor {
    accepts = List.copyOf(accepts);
    arguments = List.copyOf(arguments);
    environment = Map.copyOf(environment);
  }
}
