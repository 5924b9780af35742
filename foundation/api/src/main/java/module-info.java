import org.jspecify.annotations.NullMarked;

/** Messages and stubs generated from the .proto files of the contract. */
@NullMarked
module io.jcontainerd.api {
  requires static transitive org.jspecify;
  requires transitive com.google.protobuf;
  requires transitive io.grpc;
  requires transitive io.grpc.stub;
  requires transitive io.grpc.protobuf;
  requires transitive com.google.common;
  requires transitive proto.google.common.protos;

  exports io.jcontainerd.api.cgroups.v1;
  exports io.jcontainerd.api.cgroups.v2;
  exports io.jcontainerd.api.events;
  exports io.jcontainerd.api.events.v1;
  exports io.jcontainerd.api.operations.v1;
  exports io.jcontainerd.api.runtime.bootstrap.v1;
  exports io.jcontainerd.api.runtime.sandbox.v1;
  exports io.jcontainerd.api.runtime.task.v2;
  exports io.jcontainerd.api.runtime.task.v3;
  exports io.jcontainerd.api.services.containers.v1;
  exports io.jcontainerd.api.services.content.v1;
  exports io.jcontainerd.api.services.diff.v1;
  exports io.jcontainerd.api.services.events.v1;
  exports io.jcontainerd.api.services.images.v1;
  exports io.jcontainerd.api.services.introspection.v1;
  exports io.jcontainerd.api.services.leases.v1;
  exports io.jcontainerd.api.services.mounts.v1;
  exports io.jcontainerd.api.services.namespaces.v1;
  exports io.jcontainerd.api.services.sandbox.v1;
  exports io.jcontainerd.api.services.snapshots.v1;
  exports io.jcontainerd.api.services.streaming.v1;
  exports io.jcontainerd.api.services.tasks.v1;
  exports io.jcontainerd.api.services.transfer.v1;
  exports io.jcontainerd.api.services.ttrpc.events.v1;
  exports io.jcontainerd.api.services.version.v1;
  exports io.jcontainerd.api.storage.v1;
  exports io.jcontainerd.api.transfer.v1;
  exports io.jcontainerd.api.ttrpc;
  exports io.jcontainerd.api.types;
  exports io.jcontainerd.api.types.runc.options;
  exports io.jcontainerd.api.types.runtimeoptions.v1;
  exports io.jcontainerd.api.types.task;
  exports io.jcontainerd.api.types.transfer;
}
