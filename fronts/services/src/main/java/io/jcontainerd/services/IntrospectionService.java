package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.introspection.v1.IntrospectionGrpc;
import io.jcontainerd.api.services.introspection.v1.PluginInfoRequest;
import io.jcontainerd.api.services.introspection.v1.PluginInfoResponse;
import io.jcontainerd.api.services.introspection.v1.PluginsRequest;
import io.jcontainerd.api.services.introspection.v1.PluginsResponse;
import io.jcontainerd.api.services.introspection.v1.ServerResponse;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Introspections;
import io.jcontainerd.wire.TypedValues;
import java.util.Optional;

/** {@code containerd.services.introspection.v1.Introspection}. */
final class IntrospectionService {
  private final Introspection introspection;

  IntrospectionService(Introspection introspection) {
    this.introspection = introspection;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(IntrospectionGrpc.getServiceDescriptor(), time)
        .unary(IntrospectionGrpc.getPluginsMethod(), this::plugins)
        .unary(IntrospectionGrpc.getServerMethod(), this::server)
        .unary(IntrospectionGrpc.getPluginInfoMethod(), this::pluginInfo)
        .build();
  }

  private PluginsResponse plugins(PluginsRequest request) {
    Filter filter = Filter.any(request.getFiltersList());
    var response = PluginsResponse.newBuilder();
    introspection.plugins().stream()
        .filter(plugin -> filter.matches(fields(plugin)))
        .map(Introspections::toApi)
        .forEach(response::addPlugins);
    return response.build();
  }

  private ServerResponse server(Empty request) {
    return Introspections.toApi(introspection.server());
  }

  private PluginInfoResponse pluginInfo(PluginInfoRequest request) {
    Introspection.Plugin plugin =
        introspection.plugins().stream()
            .filter(p -> p.type().equals(request.getType()) && p.id().equals(request.getId()))
            .findFirst()
            .orElseThrow(
                () -> new NotFoundException("plugin " + request.getType() + "." + request.getId()));
    var extra =
        introspection.info(
            request.getType(),
            request.getId(),
            TypedValues.toCore(request.hasOptions(), request.getOptions()));
    return PluginInfoResponse.newBuilder()
        .setPlugin(Introspections.toApi(plugin))
        .setExtra(TypedValues.toApi(extra))
        .build();
  }

  private static Fields fields(Introspection.Plugin plugin) {
    return path ->
        switch (path.getFirst()) {
          case "type" -> present(plugin.type());
          case "id" -> present(plugin.id());
          default -> Optional.empty();
        };
  }

  private static Optional<String> present(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
