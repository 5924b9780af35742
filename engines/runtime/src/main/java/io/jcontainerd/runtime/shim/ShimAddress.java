package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapResult;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.oci.json.JsonObject;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How to reach a shim.
 *
 * @param version of the task API, 2 or 3
 * @param address {@code unix:///path}, or a bare path
 * @param protocol {@code ttrpc} or {@code grpc}
 */
public record ShimAddress(int version, String address, String protocol) {
  private static final String UNIX = "unix://";

  /** Refuses what nobody can speak. */
  public ShimAddress {
    if (version > 3) {
      throw new NotImplementedException("unsupported shim version (" + version + ")");
    }
    if (version < 2) {
      throw new InvalidArgumentException("shim version " + version + " is older than 2");
    }
    if (address.isEmpty()) {
      throw new InvalidArgumentException("shim address is empty");
    }
    protocol = protocol.isEmpty() ? "ttrpc" : protocol;
  }

  /**
   * Reads what a shim's start action printed: a {@code BootstrapResult}, the JSON of earlier shims,
   * or the bare address of still earlier ones.
   */
  public static ShimAddress parse(byte[] printed) {
    Optional<ShimAddress> result = protobuf(printed);
    if (result.isPresent()) {
      return result.get();
    }
    String text = new String(printed, UTF_8).strip();
    if (text.startsWith("{")) {
      return json(text);
    }
    if (text.isEmpty() || text.chars().anyMatch(c -> Character.isISOControl(c) && c != 0)) {
      throw new UnknownException("shim start printed no address: " + shortened(text));
    }
    return new ShimAddress(2, text, "ttrpc");
  }

  private static Optional<ShimAddress> protobuf(byte[] printed) {
    try {
      BootstrapResult result = BootstrapResult.parseFrom(printed);
      // text can be well-formed protobuf by accident, but not with these two in place
      if (result.getVersion() > 0 && !result.getAddress().isEmpty()) {
        return Optional.of(
            new ShimAddress(result.getVersion(), result.getAddress(), result.getProtocol()));
      }
      return Optional.empty();
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  /** Reads {@code bootstrap.json}. */
  public static ShimAddress json(String text) {
    JsonObject json = JsonObject.parse(text);
    return new ShimAddress(
        (int) json.integer("version").orElse(0),
        json.string("address").orElse(""),
        json.string("protocol").orElse(""));
  }

  /** Reads an address that a client gave: {@code ttrpc+unix:///path}. */
  public static ShimAddress endpoint(String endpoint, int version) {
    int plus = endpoint.indexOf('+');
    int scheme = endpoint.indexOf("://");
    return plus >= 0 && plus < scheme
        ? new ShimAddress(version, endpoint.substring(plus + 1), endpoint.substring(0, plus))
        : new ShimAddress(version, endpoint, "ttrpc");
  }

  /** The bytes of {@code bootstrap.json}. */
  public byte[] toJson() {
    return JsonObject.EMPTY
        .with("version", version)
        .with("address", address)
        .with("protocol", protocol)
        .toBytes();
  }

  /**
   * The unix socket.
   *
   * @throws NotImplementedException for an address or a protocol that this daemon does not speak
   */
  public Path socket() {
    if (!protocol.equals("ttrpc")) {
      throw new NotImplementedException(
          "shim at "
              + address
              + " speaks "
              + protocol
              + ", which this daemon does not support yet");
    }
    String path = address.startsWith(UNIX) ? address.substring(UNIX.length()) : address;
    if (!path.startsWith("/")) {
      throw new NotImplementedException(
          "shim address " + shortened(address) + " is no path of a unix socket");
    }
    return Path.of(path);
  }

  private static String shortened(String text) {
    String line = text.replace('\n', ' ').replace("\0", "\\0");
    return line.length() > 200 ? line.substring(0, 200) + "…" : line;
  }
}
