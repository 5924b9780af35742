package io.jcontainerd.client;

import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc.ContainersBlockingV2Stub;
import io.jcontainerd.api.services.containers.v1.CreateContainerRequest;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.containers.v1.GetContainerRequest;
import io.jcontainerd.api.services.containers.v1.ListContainersRequest;
import io.jcontainerd.api.services.containers.v1.UpdateContainerRequest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.wire.Containers;
import io.jcontainerd.wire.Masks;
import java.util.List;

/** The daemon's container records. Safe for many threads. */
public final class RemoteContainerStore implements ContainerStore {
  private final ContainersBlockingV2Stub stub;

  RemoteContainerStore(Connection connection) {
    this.stub = ContainersGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public Container get(String id) {
    GetContainerRequest request = GetContainerRequest.newBuilder().setId(id).build();
    return Containers.toCore(Connection.send(() -> stub.get(request)).getContainer());
  }

  @Override
  public List<Container> list(Filter filter) {
    return list(List.of()).stream().filter(c -> filter.matches(RecordFields.of(c))).toList();
  }

  /** Every container that one of the filters matches, all without filters; the daemon filters. */
  public List<Container> list(List<String> filters) {
    ListContainersRequest request =
        ListContainersRequest.newBuilder().addAllFilters(filters).build();
    return Connection.send(() -> stub.list(request)).getContainersList().stream()
        .map(Containers::toCore)
        .toList();
  }

  @Override
  public Container create(Container container) {
    CreateContainerRequest request =
        CreateContainerRequest.newBuilder().setContainer(Containers.toApi(container)).build();
    return Containers.toCore(Connection.send(() -> stub.create(request)).getContainer());
  }

  @Override
  public Container update(Container container, FieldMask mask) {
    UpdateContainerRequest.Builder request =
        UpdateContainerRequest.newBuilder().setContainer(Containers.toApi(container));
    if (!mask.isAll()) {
      request.setUpdateMask(Masks.toApi(mask));
    }
    return Containers.toCore(Connection.send(() -> stub.update(request.build())).getContainer());
  }

  @Override
  public void delete(String id) {
    DeleteContainerRequest request = DeleteContainerRequest.newBuilder().setId(id).build();
    Connection.send(() -> stub.delete(request));
  }
}
