package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.namespaces.v1.CreateNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.CreateNamespaceResponse;
import io.jcontainerd.api.services.namespaces.v1.DeleteNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.GetNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.GetNamespaceResponse;
import io.jcontainerd.api.services.namespaces.v1.ListNamespacesRequest;
import io.jcontainerd.api.services.namespaces.v1.ListNamespacesResponse;
import io.jcontainerd.api.services.namespaces.v1.NamespacesGrpc;
import io.jcontainerd.api.services.namespaces.v1.UpdateNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.UpdateNamespaceResponse;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Namespaces;

/** {@code containerd.services.namespaces.v1.Namespaces}. */
final class NamespacesService {
  private final NamespaceStore store;

  NamespacesService(NamespaceStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(NamespacesGrpc.getServiceDescriptor(), time)
        .unary(NamespacesGrpc.getGetMethod(), this::get)
        .unary(NamespacesGrpc.getListMethod(), this::list)
        .unary(NamespacesGrpc.getCreateMethod(), this::create)
        .unary(NamespacesGrpc.getUpdateMethod(), this::update)
        .unary(NamespacesGrpc.getDeleteMethod(), this::delete)
        .build();
  }

  private GetNamespaceResponse get(GetNamespaceRequest request) {
    return GetNamespaceResponse.newBuilder()
        .setNamespace(Namespaces.toApi(store.get(request.getName())))
        .build();
  }

  private ListNamespacesResponse list(ListNamespacesRequest request) {
    return ListNamespacesResponse.newBuilder()
        .addAllNamespaces(store.list().stream().map(Namespaces::toApi).toList())
        .build();
  }

  private CreateNamespaceResponse create(CreateNamespaceRequest request) {
    return CreateNamespaceResponse.newBuilder()
        .setNamespace(Namespaces.toApi(store.create(Namespaces.toCore(request.getNamespace()))))
        .build();
  }

  private UpdateNamespaceResponse update(UpdateNamespaceRequest request) {
    return UpdateNamespaceResponse.newBuilder()
        .setNamespace(
            Namespaces.toApi(
                store.update(
                    Namespaces.toCore(request.getNamespace()),
                    Masks.toCore(request.getUpdateMask()))))
        .build();
  }

  private Empty delete(DeleteNamespaceRequest request) {
    store.delete(request.getName());
    return Empty.getDefaultInstance();
  }
}
