package io.jcontainerd.client;

import com.google.protobuf.Empty;
import io.jcontainerd.api.services.introspection.v1.IntrospectionGrpc;
import io.jcontainerd.api.services.introspection.v1.IntrospectionGrpc.IntrospectionBlockingV2Stub;
import io.jcontainerd.api.services.introspection.v1.PluginInfoRequest;
import io.jcontainerd.api.services.introspection.v1.PluginsRequest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.wire.Introspections;
import io.jcontainerd.wire.TypedValues;
import java.util.List;
import java.util.Optional;

/** What the daemon tells about itself. Safe for many threads. */
public final class RemoteIntrospection implements Introspection {
  private final IntrospectionBlockingV2Stub stub;

  RemoteIntrospection(Connection connection) {
    this.stub = IntrospectionGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public List<Plugin> plugins() {
    return plugins(List.of());
  }

  /** The plug-ins that one of the filters matches, all without filters. */
  public List<Plugin> plugins(List<String> filters) {
    PluginsRequest request = PluginsRequest.newBuilder().addAllFilters(filters).build();
    return Connection.send(() -> stub.plugins(request)).getPluginsList().stream()
        .map(Introspections::toCore)
        .toList();
  }

  @Override
  public Server server() {
    return Introspections.toCore(Connection.send(() -> stub.server(Empty.getDefaultInstance())));
  }

  @Override
  public TypedValue info(String type, String id, Optional<TypedValue> options) {
    PluginInfoRequest.Builder request = PluginInfoRequest.newBuilder().setType(type).setId(id);
    options.map(TypedValues::toApi).ifPresent(request::setOptions);
    return TypedValues.toCore(Connection.send(() -> stub.pluginInfo(request.build())).getExtra());
  }
}
