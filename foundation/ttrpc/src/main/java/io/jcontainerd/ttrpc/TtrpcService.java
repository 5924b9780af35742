package io.jcontainerd.ttrpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.util.HashMap;
import java.util.Map;

/** A service by its full protobuf name, and what answers each of its methods. */
public final class TtrpcService {
  private final String name;
  private final Map<String, Method> methods;

  private TtrpcService(String name, Map<String, Method> methods) {
    this.name = name;
    this.methods = Map.copyOf(methods);
  }

  public static Builder named(String name) {
    return new Builder(name);
  }

  public String name() {
    return name;
  }

  Map<String, Method> methods() {
    return methods;
  }

  /** Answers one request with one message. Runs on a virtual thread of its own. */
  @FunctionalInterface
  public interface BytesHandler {
    byte[] handle(byte[] request, CallContext context) throws Exception;
  }

  /** Like {@link BytesHandler}, in messages. */
  @FunctionalInterface
  public interface Handler<Q extends MessageLite, A extends MessageLite> {
    A handle(Q request, CallContext context) throws Exception;
  }

  /** Serves a stream until it returns. Runs on a virtual thread of its own. */
  @FunctionalInterface
  public interface StreamHandler {
    void handle(ServerStream stream) throws Exception;
  }

  sealed interface Method {
    /**
     * One kind of method.
     *
     * @param interruptible interrupted when nobody waits for the answer any more
     */
    record Unary(BytesHandler handler, boolean interruptible) implements Method {}

    record Stream(StreamHandler handler) implements Method {}
  }

  /** Collects methods; a name may be given once. */
  public static final class Builder {
    private final String name;
    private final Map<String, Method> methods = new HashMap<>();

    private Builder(String name) {
      this.name = name;
    }

    /** A method that acts: it finishes even when the caller is gone. */
    public <Q extends MessageLite, A extends MessageLite> Builder unary(
        String method, Parser<Q> parser, Handler<Q, A> handler) {
      return add(method, new Method.Unary(typed(parser, handler), false));
    }

    /** A method that only waits: its thread is interrupted at the deadline or a lost connection. */
    public <Q extends MessageLite, A extends MessageLite> Builder waiting(
        String method, Parser<Q> parser, Handler<Q, A> handler) {
      return add(method, new Method.Unary(typed(parser, handler), true));
    }

    /** Like {@link #unary}, in bytes. */
    public Builder bytes(String method, BytesHandler handler) {
      return add(method, new Method.Unary(handler, false));
    }

    /** A streaming method, interrupted when the client is gone. */
    public Builder stream(String method, StreamHandler handler) {
      return add(method, new Method.Stream(handler));
    }

    public TtrpcService build() {
      return new TtrpcService(name, methods);
    }

    private Builder add(String method, Method what) {
      if (methods.putIfAbsent(method, what) != null) {
        throw new IllegalArgumentException("method " + name + "/" + method + " given twice");
      }
      return this;
    }

    private static <Q extends MessageLite, A extends MessageLite> BytesHandler typed(
        Parser<Q> parser, Handler<Q, A> handler) {
      return (bytes, context) -> {
        Q request;
        try {
          request = parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
          throw new TtrpcException(
              StatusCode.INTERNAL, "ttrpc: error unmarshalling payload: " + e.getMessage(), e);
        }
        return handler.handle(request, context).toByteArray();
      };
    }
  }
}
