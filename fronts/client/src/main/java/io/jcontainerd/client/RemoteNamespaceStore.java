package io.jcontainerd.client;

import io.jcontainerd.api.services.namespaces.v1.CreateNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.DeleteNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.GetNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.ListNamespacesRequest;
import io.jcontainerd.api.services.namespaces.v1.NamespacesGrpc;
import io.jcontainerd.api.services.namespaces.v1.NamespacesGrpc.NamespacesBlockingV2Stub;
import io.jcontainerd.api.services.namespaces.v1.UpdateNamespaceRequest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Namespaces;
import java.util.List;

/** The daemon's namespaces. Safe for many threads. */
public final class RemoteNamespaceStore implements NamespaceStore {
  private final NamespacesBlockingV2Stub stub;

  RemoteNamespaceStore(Connection connection) {
    this.stub = NamespacesGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public Namespace get(String name) {
    GetNamespaceRequest request = GetNamespaceRequest.newBuilder().setName(name).build();
    return Namespaces.toCore(Connection.send(() -> stub.get(request)).getNamespace());
  }

  @Override
  public List<Namespace> list() {
    return Connection.send(() -> stub.list(ListNamespacesRequest.getDefaultInstance()))
        .getNamespacesList()
        .stream()
        .map(Namespaces::toCore)
        .toList();
  }

  @Override
  public Namespace create(Namespace namespace) {
    CreateNamespaceRequest request =
        CreateNamespaceRequest.newBuilder().setNamespace(Namespaces.toApi(namespace)).build();
    return Namespaces.toCore(Connection.send(() -> stub.create(request)).getNamespace());
  }

  @Override
  public Namespace update(Namespace namespace, FieldMask mask) {
    UpdateNamespaceRequest.Builder request =
        UpdateNamespaceRequest.newBuilder().setNamespace(Namespaces.toApi(namespace));
    if (!mask.isAll()) {
      request.setUpdateMask(Masks.toApi(mask));
    }
    return Namespaces.toCore(Connection.send(() -> stub.update(request.build())).getNamespace());
  }

  @Override
  public void delete(String name) {
    DeleteNamespaceRequest request = DeleteNamespaceRequest.newBuilder().setName(name).build();
    Connection.send(() -> stub.delete(request));
  }
}
