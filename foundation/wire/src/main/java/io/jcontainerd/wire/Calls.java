package io.jcontainerd.wire;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.jcontainerd.core.Call;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The call and its headers. Of a header that comes more than once, the first counts. The namespace
 * is not checked here but where it is needed, for not every method needs one.
 */
public final class Calls {
  /** Namespace, over gRPC. */
  public static final Metadata.Key<String> NAMESPACE =
      Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);

  /** Lease id, over gRPC. */
  public static final Metadata.Key<String> LEASE =
      Metadata.Key.of("containerd-lease", Metadata.ASCII_STRING_MARSHALLER);

  /** Namespace, over ttrpc. */
  public static final String TTRPC_NAMESPACE = "containerd-namespace-ttrpc";

  private Calls() {}

  /**
   * The call of a gRPC request.
   *
   * @param headers as they came
   * @param deadline of the request, if the client set one
   * @param now the time of day
   */
  public static Call fromGrpc(Metadata headers, @Nullable Deadline deadline, Instant now) {
    return new Call(
        first(headers, NAMESPACE),
        first(headers, LEASE),
        Optional.ofNullable(deadline)
            .map(d -> now.plusNanos(d.timeRemaining(TimeUnit.NANOSECONDS))));
  }

  /** The headers of a gRPC request made as part of the call. */
  public static Metadata toGrpc(Call call) {
    Metadata headers = new Metadata();
    call.namespaceHeader().ifPresent(namespace -> headers.put(NAMESPACE, namespace));
    call.lease().ifPresent(lease -> headers.put(LEASE, lease));
    return headers;
  }

  /**
   * The call of a ttrpc request. ttrpc carries no lease.
   *
   * @param metadata values by key, in the order in which they came
   * @param timeout zero for none
   * @param now the time of day
   */
  public static Call fromTtrpc(Map<String, List<String>> metadata, Duration timeout, Instant now) {
    List<String> namespaces = metadata.getOrDefault(TTRPC_NAMESPACE, List.of());
    return new Call(
        namespaces.stream().findFirst(),
        Optional.empty(),
        timeout.isZero() ? Optional.empty() : Optional.of(now.plus(timeout)));
  }

  /** The metadata of a ttrpc request made as part of the call. */
  public static Map<String, List<String>> toTtrpc(Call call) {
    return call.namespaceHeader()
        .map(namespace -> Map.of(TTRPC_NAMESPACE, List.of(namespace)))
        .orElse(Map.of());
  }

  private static Optional<String> first(Metadata headers, Metadata.Key<String> key) {
    Iterable<String> all = headers.getAll(key);
    if (all == null) {
      return Optional.empty();
    }
    List<String> values = new ArrayList<>();
    all.forEach(values::add);
    return values.stream().findFirst();
  }
}
