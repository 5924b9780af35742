package io.jcontainerd.wire;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.jcontainerd.core.Call;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
