package io.jcontainerd.wire;

import io.jcontainerd.api.services.introspection.v1.DeprecationWarning;
import io.jcontainerd.api.services.introspection.v1.Plugin;
import io.jcontainerd.api.services.introspection.v1.ServerResponse;
import io.jcontainerd.core.introspection.Introspection;
import java.util.Optional;

/** What the daemon tells about itself, and the messages. */
public final class Introspections {
  private Introspections() {}

  /** A plug-in as a message. */
  public static Plugin toApi(Introspection.Plugin plugin) {
    var message =
        Plugin.newBuilder()
            .setType(plugin.type())
            .setId(plugin.id())
            .addAllRequires(plugin.requires())
            .addAllPlatforms(plugin.platforms().stream().map(Types::toApi).toList())
            .putAllExports(plugin.exports())
            .addAllCapabilities(plugin.capabilities());
    plugin
        .failure()
        .ifPresent(
            failure ->
                message.setInitErr(
                    com.google.rpc.Status.newBuilder()
                        .setCode(failure.code())
                        .setMessage(failure.message())));
    return message.build();
  }

  /** A message as a plug-in. */
  public static Introspection.Plugin toCore(Plugin message) {
    return new Introspection.Plugin(
        message.getType(),
        message.getId(),
        message.getRequiresList(),
        message.getPlatformsList().stream().map(Types::toCore).toList(),
        message.getExportsMap(),
        message.getCapabilitiesList(),
        message.hasInitErr()
            ? Optional.of(
                new Introspection.Failure(
                    message.getInitErr().getCode(), message.getInitErr().getMessage()))
            : Optional.empty());
  }

  /** The server as a message. */
  public static ServerResponse toApi(Introspection.Server server) {
    return ServerResponse.newBuilder()
        .setUuid(server.uuid())
        .setPid(server.pid())
        .setPidns(server.pidNamespace())
        .addAllDeprecations(
            server.deprecations().stream()
                .map(
                    deprecation ->
                        DeprecationWarning.newBuilder()
                            .setId(deprecation.id())
                            .setMessage(deprecation.message())
                            .setLastOccurrence(Times.toApi(deprecation.lastOccurrence()))
                            .build())
                .toList())
        .build();
  }

  /** A message as the server. */
  public static Introspection.Server toCore(ServerResponse message) {
    return new Introspection.Server(
        message.getUuid(),
        message.getPid(),
        message.getPidns(),
        message.getDeprecationsList().stream()
            .map(
                warning ->
                    new Introspection.Deprecation(
                        warning.getId(),
                        warning.getMessage(),
                        Times.toCore(warning.getLastOccurrence())))
            .toList());
  }
}
