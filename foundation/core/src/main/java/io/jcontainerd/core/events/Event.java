package io.jcontainerd.core.events;

import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Instant;

/**
 * Something that happened.
 *
 * @param timestamp when
 * @param namespace where
 * @param topic a path of identifiers, such as {@code /tasks/exit}
 * @param payload a message of the event API
 */
public record Event(Instant timestamp, String namespace, String topic, TypedValue payload) {

  /** Refuses names that are none. */
  public Event {
    Identifiers.check(namespace);
    checkTopic(topic);
  }

  /**
   * Checks a topic.
   *
   * @throws InvalidArgumentException if it is no path of identifiers
   */
  public static void checkTopic(String topic) {
    if (topic.isEmpty()) {
      throw new InvalidArgumentException("topic must not be empty");
    }
    if (!topic.startsWith("/")) {
      throw new InvalidArgumentException("topic \"" + topic + "\" must start with '/'");
    }
    if (topic.length() == 1) {
      throw new InvalidArgumentException(
          "topic \"" + topic + "\" must have at least one component");
    }
    for (String component : topic.substring(1).split("/", -1)) {
      try {
        Identifiers.check(component);
      } catch (InvalidArgumentException e) {
        throw new InvalidArgumentException(
            "topic \"" + topic + "\": component \"" + component + "\": " + e.getMessage(), e);
      }
    }
  }

  /**
   * An event with its place in the daemon's record.
   *
   * @param number counts from 1 without gaps
   * @param event what happened
   */
  public record Numbered(long number, Event event) {}
}
