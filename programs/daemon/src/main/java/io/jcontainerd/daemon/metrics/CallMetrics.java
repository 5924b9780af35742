package io.jcontainerd.daemon.metrics;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.jcontainerd.daemon.metrics.Exposition.Label;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts gRPC calls under the names that Go's servers use: {@code grpc_server_started_total},
 * {@code _handled_total}, {@code _msg_received_total}, {@code _msg_sent_total} and, if wanted, the
 * histogram {@code _handling_seconds}. Safe for many threads.
 */
public final class CallMetrics implements ServerInterceptor {
  /** The upper bounds of the histogram, in seconds: those of Prometheus' libraries. */
  private static final double[] BOUNDS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  private final Map<String, Method> methods = new ConcurrentSkipListMap<>();
  private final boolean histogram;

  /**
   * @param histogram whether to tell how long calls took
   */
  public CallMetrics(boolean histogram) {
    this.histogram = histogram;
  }

  /** The counts of one method. */
  private static final class Method {
    final List<Label> labels;
    final LongAdder started = new LongAdder();
    final LongAdder received = new LongAdder();
    final LongAdder sent = new LongAdder();
    final Map<Status.Code, LongAdder> handled = new ConcurrentSkipListMap<>();
    final LongAdder[] within = adders(BOUNDS.length + 1); // the last one is for all that is slower
    final LongAdder nanos = new LongAdder();

    Method(MethodDescriptor<?, ?> method) {
      labels =
          List.of(
              new Label("grpc_type", type(method.getType())),
              new Label("grpc_service", String.valueOf(method.getServiceName())),
              new Label("grpc_method", String.valueOf(method.getBareMethodName())));
    }

    private static LongAdder[] adders(int count) {
      LongAdder[] adders = new LongAdder[count];
      Arrays.setAll(adders, _ -> new LongAdder());
      return adders;
    }

    private static String type(MethodDescriptor.MethodType type) {
      return switch (type) {
        case UNARY, UNKNOWN -> "unary";
        case CLIENT_STREAMING -> "client_stream";
        case SERVER_STREAMING -> "server_stream";
        case BIDI_STREAMING -> "bidi_stream";
      };
    }

    void ended(Status.Code code, long took) {
      handled.computeIfAbsent(code, _ -> new LongAdder()).increment();
      nanos.add(took);
      int bucket = 0;
      while (bucket < BOUNDS.length && took > BOUNDS[bucket] * 1e9) {
        bucket++;
      }
      within[bucket].increment();
    }

    List<Label> with(String name, String value) {
      var more = new ArrayList<>(labels);
      more.add(new Label(name, value));
      return more;
    }
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    MethodDescriptor<Q, A> descriptor = call.getMethodDescriptor();
    Method method =
        methods.computeIfAbsent(descriptor.getFullMethodName(), _ -> new Method(descriptor));
    method.started.increment();
    long began = System.nanoTime();
    AtomicBoolean ended = new AtomicBoolean();
    ServerCall<Q, A> counted =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void sendMessage(A message) {
            super.sendMessage(message);
            method.sent.increment();
          }

          @Override
          public void close(Status status, Metadata trailers) {
            if (!ended.getAndSet(true)) {
              method.ended(status.getCode(), System.nanoTime() - began);
            }
            super.close(status, trailers);
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(counted, headers)) {
      @Override
      public void onMessage(Q message) {
        method.received.increment();
        super.onMessage(message);
      }

      // the client does not wait any more, and nothing closes such a call
      @Override
      public void onCancel() {
        if (!ended.getAndSet(true)) {
          Deadline deadline = Context.current().getDeadline();
          boolean late = deadline != null && deadline.isExpired();
          method.ended(
              late ? Status.Code.DEADLINE_EXCEEDED : Status.Code.CANCELLED,
              System.nanoTime() - began);
        }
        super.onCancel();
      }
    };
  }

  void write(Exposition out) {
    counters(
        out, "grpc_server_started_total", "RPCs started on the server.", method -> method.started);
    String handled = "grpc_server_handled_total";
    out.family(
        handled, Exposition.Type.COUNTER, "RPCs completed on the server, by how they ended.");
    for (Method method : methods.values()) {
      method.handled.forEach(
          (code, count) ->
              out.sample(handled, method.with("grpc_code", goName(code)), count.sum()));
    }
    counters(
        out,
        "grpc_server_msg_received_total",
        "Messages received on the server.",
        method -> method.received);
    counters(
        out, "grpc_server_msg_sent_total", "Messages sent by the server.", method -> method.sent);
    if (histogram) {
      handlingTimes(out);
    }
  }

  private void counters(
      Exposition out,
      String name,
      String help,
      java.util.function.Function<Method, LongAdder> counter) {
    out.family(name, Exposition.Type.COUNTER, help);
    methods.values().forEach(one -> out.sample(name, one.labels, counter.apply(one).sum()));
  }

  private void handlingTimes(Exposition out) {
    String name = "grpc_server_handling_seconds";
    out.family(
        name, Exposition.Type.HISTOGRAM, "How long RPCs took until the server had handled them.");
    for (Method method : methods.values()) {
      long count = 0;
      for (int i = 0; i < BOUNDS.length; i++) {
        count += method.within[i].sum();
        String bound = Double.toString(BOUNDS[i]).replaceFirst("[.]0$", "");
        out.sample(name + "_bucket", method.with("le", bound), count);
      }
      count += method.within[BOUNDS.length].sum();
      out.sample(name + "_bucket", method.with("le", "+Inf"), count);
      out.sample(name + "_sum", method.labels, method.nanos.sum() / 1e9);
      out.sample(name + "_count", method.labels, count);
    }
  }

  /** {@code NOT_FOUND} is {@code NotFound} there. */
  private static String goName(Status.Code code) {
    if (code == Status.Code.OK) {
      return "OK";
    }
    StringBuilder name = new StringBuilder();
    for (String word : code.name().split("_", -1)) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase(java.util.Locale.ROOT));
    }
    return name.toString().replace("Cancelled", "Canceled");
  }
}
