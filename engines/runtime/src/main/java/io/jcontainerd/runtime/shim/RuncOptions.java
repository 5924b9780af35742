package io.jcontainerd.runtime.shim;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.wire.TypedValues;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a client may have said of our shim and its OCI runtime, as {@code
 * containerd.runc.v1.Options}; values of other types say nothing.
 */
final class RuncOptions {
  private static final String TYPE = "containerd.runc.v1.Options";

  private RuncOptions() {}

  private static Optional<Options> parse(Optional<TypedValue> given) {
    try {
      return given.isPresent() && given.get().typeName().equals(TYPE)
          ? Optional.of(Options.parseFrom(given.get().value()))
          : Optional.empty();
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidArgumentException("runtime options: " + e.getMessage(), e);
    }
  }

  /** The cgroup that the shim is wanted in; empty for none. */
  static String shimCgroup(Optional<TypedValue> given) {
    return parse(given).map(Options::getShimCgroup).orElse("");
  }

  /** The OCI runtime that is named. */
  static Optional<String> binary(Optional<TypedValue> given) {
    return parse(given).map(Options::getBinaryName).filter(name -> !name.isEmpty());
  }

  /** The same, with an OCI runtime where none is named. */
  static Optional<TypedValue> withBinary(Optional<TypedValue> given, Path binary) {
    if (given.isPresent() && !given.get().typeName().equals(TYPE)) {
      return given;
    }
    Options options = parse(given).orElse(Options.getDefaultInstance());
    return options.getBinaryName().isEmpty()
        ? Optional.of(
            TypedValues.pack(options.toBuilder().setBinaryName(binary.toString()).build()))
        : given;
  }
}
