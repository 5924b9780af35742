package io.jcontainerd.wire;

import com.google.protobuf.Any;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.Timestamp;
import io.jcontainerd.api.events.ContainerProto;
import io.jcontainerd.api.events.ContentProto;
import io.jcontainerd.api.events.ImageProto;
import io.jcontainerd.api.events.NamespaceProto;
import io.jcontainerd.api.events.SandboxProto;
import io.jcontainerd.api.events.SnapshotProto;
import io.jcontainerd.api.events.TaskProto;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.filter.Fields;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a filter can ask of an event: {@code namespace}, {@code topic}, and below {@code event} the
 * fields of its payload by their proto names, such as {@code event.container_id} or {@code
 * event.labels.KEY}.
 *
 * <p>Texts are present unless empty, booleans always; numbers, times and lists have no text. The
 * payload is decoded when first asked for, and only if it is one of containerd's own events.
 */
public final class EventFields implements Fields {
  private static final Map<String, Descriptor> KNOWN =
      Stream.of(
              ContainerProto.getDescriptor(),
              ContentProto.getDescriptor(),
              ImageProto.getDescriptor(),
              NamespaceProto.getDescriptor(),
              SandboxProto.getDescriptor(),
              SnapshotProto.getDescriptor(),
              TaskProto.getDescriptor())
          .map(FileDescriptor::getMessageTypes)
          .flatMap(List::stream)
          .collect(Collectors.toUnmodifiableMap(Descriptor::getFullName, type -> type));

  private final Event event;

  /** The fields of the event. */
  public EventFields(Event event) {
    this.event = event;
  }

  @Override
  public Optional<String> field(List<String> path) {
    return switch (path.getFirst()) {
      case "namespace" -> present(event.namespace());
      case "topic" -> present(event.topic());
      case "event" -> payload(event.payload()).flatMap(m -> field(m, rest(path)));
      default -> Optional.empty();
    };
  }

  /** The payload in one line, for people; empty for one of a type that is not known. */
  public static String words(Event event) {
    return payload(event.payload())
        .map(
            message -> TextFormat.printer().emittingSingleLine(true).printToString(message).strip())
        .orElse("");
  }

  private static Optional<Message> payload(TypedValue value) {
    Descriptor type = KNOWN.get(value.typeName());
    if (type == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(DynamicMessage.parseFrom(type, value.value()));
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty(); // a payload that cannot be read has no fields
    }
  }

  private static Optional<String> field(Message message, List<String> path) {
    if (path.isEmpty()) {
      return Optional.empty();
    }
    FieldDescriptor field = message.getDescriptorForType().findFieldByName(path.getFirst());
    if (field == null) {
      return Optional.empty();
    }
    if (field.isMapField()) {
      return entry(message, field, String.join(".", rest(path)));
    }
    if (field.isRepeated()) {
      return Optional.empty();
    }
    return switch (field.getJavaType()) {
      case STRING -> present((String) message.getField(field));
      case BOOLEAN -> Optional.of(message.getField(field).toString());
      case MESSAGE ->
          message.hasField(field)
              ? nested((Message) message.getField(field), rest(path))
              : Optional.empty();
      case INT, LONG, FLOAT, DOUBLE, BYTE_STRING, ENUM -> Optional.empty();
    };
  }

  private static Optional<String> nested(Message message, List<String> path) {
    String type = message.getDescriptorForType().getFullName();
    if (type.equals(Timestamp.getDescriptor().getFullName())) {
      return Optional.empty();
    }
    if (!type.equals(Any.getDescriptor().getFullName())) {
      return field(message, path);
    }
    try {
      return payload(TypedValues.toCore(Any.parseFrom(message.toByteString())))
          .flatMap(m -> field(m, path));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("an Any is an Any", e);
    }
  }

  private static Optional<String> entry(Message message, FieldDescriptor map, String key) {
    FieldDescriptor keys = map.getMessageType().findFieldByNumber(1);
    FieldDescriptor values = map.getMessageType().findFieldByNumber(2);
    if (values.getJavaType() != FieldDescriptor.JavaType.STRING) {
      return Optional.empty();
    }
    for (int i = 0; i < message.getRepeatedFieldCount(map); i++) {
      Message entry = (Message) message.getRepeatedField(map, i);
      if (entry.getField(keys).equals(key)) {
        return Optional.of((String) entry.getField(values));
      }
    }
    return Optional.empty();
  }

  private static Optional<String> present(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  private static List<String> rest(List<String> path) {
    return path.subList(1, path.size());
  }
}
