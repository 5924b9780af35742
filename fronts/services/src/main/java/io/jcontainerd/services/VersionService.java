package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.version.v1.VersionGrpc;
import io.jcontainerd.api.services.version.v1.VersionResponse;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;

/** {@code containerd.services.version.v1.Version}. */
final class VersionService {
  private final VersionResponse answer;

  VersionService(String version, String revision) {
    this.answer = VersionResponse.newBuilder().setVersion(version).setRevision(revision).build();
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(VersionGrpc.getServiceDescriptor(), time)
        .unary(VersionGrpc.getVersionMethod(), this::version)
        .build();
  }

  private VersionResponse version(Empty request) {
    return answer;
  }
}
