package io.jcontainerd.testkit.tasks;

import io.jcontainerd.core.events.Event;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One event of a task.
 *
 * @param namespace of the task
 * @param kind the topic after {@code /tasks/}
 * @param containerId its container
 * @param execId the exec it is about; empty for the first process
 * @param pid of the process, if it is told
 * @param status how it ended, if it is told
 * @param exitedAt when, if it is told
 */
public record TaskEvent(
    String namespace,
    String kind,
    String containerId,
    String execId,
    int pid,
    int status,
    Optional<Instant> exitedAt) {
  private static final String TOPIC = "/tasks/";

  /** Reads it; empty if the event is not of a task. The container is field 1 in all of them. */
  public static Optional<TaskEvent> of(Event event) {
    if (!event.topic().startsWith(TOPIC)) {
      return Optional.empty();
    }
    String kind = event.topic().substring(TOPIC.length());
    Fields fields = new Fields(event.payload().value(), 0, event.payload().value().length);
    String container = fields.text(1);
    String process = fields.text(2);
    return Optional.of(
        switch (kind) {
          case "exit" ->
              new TaskEvent(
                  event.namespace(),
                  kind,
                  container,
                  process.equals(container) ? "" : process,
                  (int) fields.number(3),
                  (int) fields.number(4),
                  fields.time(5));
          case "delete" ->
              new TaskEvent(
                  event.namespace(),
                  kind,
                  container,
                  "",
                  (int) fields.number(2),
                  (int) fields.number(3),
                  fields.time(4));
          case "exec-added", "exec-started" ->
              new TaskEvent(
                  event.namespace(),
                  kind,
                  container,
                  process,
                  (int) fields.number(3),
                  0,
                  Optional.empty());
          case "start" ->
              new TaskEvent(
                  event.namespace(),
                  kind,
                  container,
                  "",
                  (int) fields.number(2),
                  0,
                  Optional.empty());
          default -> new TaskEvent(event.namespace(), kind, container, "", 0, 0, Optional.empty());
        });
  }

  /** The fields of a protobuf message, as far as events of tasks have them. */
  private static final class Fields {
    private final byte[] bytes;
    private final Map<Integer, Long> numbers = new TreeMap<>();
    private final Map<Integer, int[]> ranges = new TreeMap<>();
    private int at;

    Fields(byte[] bytes, int from, int to) {
      this.bytes = bytes;
      at = from;
      while (at < to) {
        int tag = (int) varint();
        switch (tag & 7) {
          case 0 -> numbers.put(tag >>> 3, varint());
          case 1 -> at += 8;
          case 2 -> {
            int length = (int) varint();
            ranges.put(tag >>> 3, new int[] {at, at + length});
            at += length;
          }
          case 5 -> at += 4;
          default -> throw new IllegalArgumentException("not a message: tag " + tag);
        }
      }
    }

    private long varint() {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes[at++];
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) {
          return value;
        }
      }
    }

    long number(int field) {
      return numbers.getOrDefault(field, 0L);
    }

    String text(int field) {
      int[] range = ranges.get(field);
      return range == null
          ? ""
          : new String(bytes, range[0], range[1] - range[0], StandardCharsets.UTF_8);
    }

    Optional<Instant> time(int field) {
      int[] range = ranges.get(field);
      if (range == null) {
        return Optional.empty();
      }
      Fields inner = new Fields(bytes, range[0], range[1]);
      return Optional.of(Instant.ofEpochSecond(inner.number(1), inner.number(2)));
    }
  }
}
