package io.jcontainerd.services.rpc;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.wire.Calls;
import java.util.HashSet;
import java.util.Set;

/**
 * Puts a gRPC service together from blocking methods.
 *
 * <p>Every call runs on a virtual thread of its own, named after its method, with the {@link
 * io.jcontainerd.core.Call} of its headers bound. A cancelled call, a passed deadline and a lost
 * client interrupt that thread. A failure of core's family becomes its status; anything else is a
 * bug: status unknown for the client, the stack trace for the log.
 */
public final class Endpoint {
  /** One message in, one out. */
  @FunctionalInterface
  public interface Unary<Q, A> {
    /** Answers the request. */
    A answer(Q request) throws InterruptedException;
  }

  /** One message in, any number out. */
  @FunctionalInterface
  public interface ServerStream<Q, A> {
    /** Serves the call until it returns. */
    void serve(Q request, Sink<A> answers) throws InterruptedException;
  }

  /** Any number of messages both ways. */
  @FunctionalInterface
  public interface BothStream<Q, A> {
    /** Serves the call until it returns. */
    void serve(Source<Q> requests, Sink<A> answers) throws InterruptedException;
  }

  /** What a conversation runs on its thread. */
  interface Body<Q, A> {
    void run(Conversation<Q, A> conversation) throws InterruptedException;
  }

  private final ServerServiceDefinition.Builder definition;
  private final ServiceDescriptor service;
  private final Time time;
  private final Set<String> added = new HashSet<>();

  /**
   * @param service of which every method must be added
   * @param time tells the deadline's time of day
   */
  public Endpoint(ServiceDescriptor service, Time time) {
    this.definition = ServerServiceDefinition.builder(service);
    this.service = service;
    this.time = time;
  }

  /** Adds a method. */
  public <Q, A> Endpoint unary(MethodDescriptor<Q, A> method, Unary<Q, A> handler) {
    return add(method, c -> c.reply(handler.answer(c.only())));
  }

  /** Adds a method. */
  public <Q, A> Endpoint serverStream(MethodDescriptor<Q, A> method, ServerStream<Q, A> handler) {
    return add(method, c -> handler.serve(c.only(), c));
  }

  /** Adds a method. */
  public <Q, A> Endpoint bothStream(MethodDescriptor<Q, A> method, BothStream<Q, A> handler) {
    return add(method, c -> handler.serve(c, c));
  }

  /**
   * Adds every method that is not there yet, each answering that it is not implemented.
   *
   * @param what is not implemented, such as {@code transfer}
   */
  public Endpoint restNotImplemented(String what) {
    for (MethodDescriptor<?, ?> method : service.getMethods()) {
      if (!added.contains(method.getFullMethodName())) {
        refuse(method, what);
      }
    }
    return this;
  }

  /** The service, ready for a server. */
  public ServerServiceDefinition build() {
    return definition.build();
  }

  private <Q, A> void refuse(MethodDescriptor<Q, A> method, String what) {
    add(
        method,
        _ -> {
          throw new NotImplementedException(what);
        });
  }

  private <Q, A> Endpoint add(MethodDescriptor<Q, A> method, Body<Q, A> body) {
    definition.addMethod(
        method,
        new ServerCallHandler<>() {
          @Override
          public ServerCall.Listener<Q> startCall(ServerCall<Q, A> call, Metadata headers) {
            var context = Calls.fromGrpc(headers, Context.current().getDeadline(), time.now());
            return new Conversation<>(call, context, Peers.of(call, headers), body).start();
          }
        });
    added.add(method.getFullMethodName());
    return this;
  }
}
