package io.jcontainerd.wire;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Typed values and {@code google.protobuf.Any}.
 *
 * <p>We write a message's bare full name as its type url, as containerd does; of what we read,
 * everything up to the last slash is passed over. A value that is only kept goes through unchanged,
 * url and bytes.
 */
public final class TypedValues {
  /** OCI runtime configuration, as JSON. */
  public static final String SPEC = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

  /** The {@code process} object of an OCI runtime configuration, as JSON. */
  public static final String PROCESS = "types.containerd.io/opencontainers/runtime-spec/1/Process";

  /** The {@code linux.resources} object of an OCI runtime configuration, as JSON. */
  public static final String LINUX_RESOURCES =
      "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

  /** The OCI runtime's features document, as JSON. */
  public static final String FEATURES =
      "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

  private TypedValues() {}

  /** A message as a value of its own type. */
  public static TypedValue pack(Message message) {
    return new TypedValue(message.getDescriptorForType().getFullName(), message.toByteArray());
  }

  /** A message, packed for a field of another message. */
  public static Any packApi(Message message) {
    return Any.newBuilder()
        .setTypeUrl(message.getDescriptorForType().getFullName())
        .setValue(message.toByteString())
        .build();
  }

  /**
   * Reads the value as a message.
   *
   * @param fullName of the message type the parser is for
   * @throws InvalidArgumentException if it is another type, or its bytes are no such message
   */
  public static <M extends MessageLite> M unpack(
      TypedValue value, String fullName, Parser<M> parser) {
    if (!value.typeName().equals(fullName)) {
      throw new InvalidArgumentException(
          "value of type " + value.typeUrl() + ", expected " + fullName);
    }
    try {
      return parser.parseFrom(value.value());
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidArgumentException("value of type " + value.typeUrl() + " is malformed", e);
    }
  }

  /** The value as a message field. */
  public static Any toApi(TypedValue value) {
    return Any.newBuilder()
        .setTypeUrl(value.typeUrl())
        .setValue(ByteString.copyFrom(value.value()))
        .build();
  }

  /** The field's value. */
  public static TypedValue toCore(Any any) {
    return new TypedValue(any.getTypeUrl(), any.getValue().toByteArray());
  }

  /**
   * The field's value, or nothing if it is absent or has neither type nor bytes.
   *
   * @param present whether the message has the field
   */
  public static Optional<TypedValue> toCore(boolean present, Any any) {
    return present && !any.equals(Any.getDefaultInstance())
        ? Optional.of(toCore(any))
        : Optional.empty();
  }

  /** A map of values as message fields. */
  public static Map<String, Any> toApi(Map<String, TypedValue> values) {
    Map<String, Any> result = new HashMap<>();
    values.forEach((key, value) -> result.put(key, toApi(value)));
    return result;
  }

  /** A map of message fields as values. */
  public static Map<String, TypedValue> toCore(Map<String, Any> values) {
    Map<String, TypedValue> result = new HashMap<>();
    values.forEach((key, value) -> result.put(key, toCore(value)));
    return result;
  }
}
