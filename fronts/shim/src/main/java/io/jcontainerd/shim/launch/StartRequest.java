package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a daemon asks for with {@code start}, from the parameters that releases since 2.3 write to
 * the standard input, or else from flags and environment.
 *
 * @param grpcAddress the daemon's socket
 * @param ttrpcAddress where it takes events
 * @param socketFolder where the socket should be; empty for the usual one
 * @param shimCgroup where the shim should be; empty for where it is
 * @param form in which the answer is understood
 */
record StartRequest(
    String namespace,
    String id,
    String grpcAddress,
    String ttrpcAddress,
    String socketFolder,
    String shimCgroup,
    boolean debug,
    Form form) {

  private static final int DEBUG = -4;
  private static final String OPTIONS = "containerd.runc.v1.Options";
  private static final int SHIM_CGROUP = 3;

  /** How an answer is written. */
  enum Form {
    /** A protobuf message, since 2.3. */
    RESULT,
    /** JSON, since 1.7; of that release on, so the task service's version 2 is named. */
    JSON,
    /** The bare address, up to 1.6. */
    ADDRESS
  }

  static StartRequest of(ShimArguments arguments, Map<String, String> environment, byte[] input) {
    Optional<LaunchMessages.Parameters> told =
        LaunchMessages.Parameters.parse(input).filter(p -> p.id().equals(arguments.id()));
    String cgroup = "";
    try {
      List<LaunchMessages.Any> options =
          told.isPresent() ? told.get().extensions() : List.of(LaunchMessages.Any.parse(input));
      for (LaunchMessages.Any option : options) {
        if (option.type().equals(OPTIONS)) {
          cgroup = LaunchMessages.text(option.value(), SHIM_CGROUP);
        }
      }
    } catch (IOException e) {
      throw new LaunchException("failed to read runtime options: " + e.getMessage(), e);
    }
    String grpc =
        first(
            told.map(LaunchMessages.Parameters::grpcAddress).orElse(""),
            arguments.address(),
            environment.getOrDefault("GRPC_ADDRESS", ""));
    return new StartRequest(
        first(arguments.namespace(), environment.getOrDefault("NAMESPACE", "")),
        arguments.id(),
        grpc,
        first(
            told.map(LaunchMessages.Parameters::ttrpcAddress).orElse(""),
            environment.getOrDefault("TTRPC_ADDRESS", ""),
            grpc + ".ttrpc"),
        told.map(LaunchMessages.Parameters::socketFolder).orElse(""),
        cgroup,
        arguments.debug() || told.map(p -> p.logLevel() <= DEBUG).orElse(false),
        told.isPresent()
            ? Form.RESULT
            : environment.containsKey("MAX_SHIM_VERSION") ? Form.JSON : Form.ADDRESS);
  }

  private static String first(String... values) {
    for (String value : values) {
      if (!value.isEmpty()) {
        return value;
      }
    }
    return "";
  }

  /** The answer that tells where the shim is. */
  byte[] answer(String address) {
    return switch (form) {
      case RESULT -> LaunchMessages.result(3, address, "ttrpc");
      case JSON ->
          "{\"version\":2,\"address\":\"%s\",\"protocol\":\"ttrpc\"}"
              .formatted(address.replace("\\", "\\\\").replace("\"", "\\\""))
              .getBytes(UTF_8);
      case ADDRESS -> address.getBytes(UTF_8);
    };
  }
}
