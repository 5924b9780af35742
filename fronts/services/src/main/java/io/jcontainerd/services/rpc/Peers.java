package io.jcontainerd.services.rpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import java.util.Optional;

/** Who is at the other end of a call, in words for people. */
final class Peers {
  private static final Metadata.Key<String> AGENT =
      Metadata.Key.of("user-agent", Metadata.ASCII_STRING_MARSHALLER);

  private Peers() {}

  /** The program as it names itself, and where it is if the transport tells. */
  static String of(ServerCall<?, ?> call, Metadata headers) {
    return Optional.ofNullable(headers.get(AGENT)).orElse("a client");
  }
}
