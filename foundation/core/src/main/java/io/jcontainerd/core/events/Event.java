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
   * What an event is among those of whoever tells it, so that it is known again when it is told
   * again.
   *
   * @param teller whose event it is; nobody else ever has that name
   * @param sequence larger for each further event; they are told in that order
   */
  public record Origin(String teller, long sequence) {
    /** The key of the metadata that goes with a call which tells an event. */
    public static final String METADATA = "jcontainerd-event-origin";

    /** Refuses names that are none, and sequences that nothing comes before. */
    public Origin {
      Identifiers.check(teller);
      if (sequence < 1) {
        throw new InvalidArgumentException("sequence of an event: " + sequence);
      }
    }

    /** As metadata: {@code TELLER/SEQUENCE}. */
    public String toText() {
      return teller + "/" + sequence;
    }

    /**
     * Reads what {@link #toText} wrote.
     *
     * @throws InvalidArgumentException if it is something else
     */
    public static Origin parse(String text) {
      int slash = text.lastIndexOf('/');
      try {
        return new Origin(
            text.substring(0, Math.max(0, slash)), Long.parseLong(text.substring(slash + 1)));
      } catch (NumberFormatException e) {
        throw new InvalidArgumentException("origin of an event: " + text, e);
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
