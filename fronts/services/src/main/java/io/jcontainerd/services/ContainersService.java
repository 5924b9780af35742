package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.CreateContainerRequest;
import io.jcontainerd.api.services.containers.v1.CreateContainerResponse;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.containers.v1.GetContainerRequest;
import io.jcontainerd.api.services.containers.v1.GetContainerResponse;
import io.jcontainerd.api.services.containers.v1.ListContainerMessage;
import io.jcontainerd.api.services.containers.v1.ListContainersRequest;
import io.jcontainerd.api.services.containers.v1.ListContainersResponse;
import io.jcontainerd.api.services.containers.v1.UpdateContainerRequest;
import io.jcontainerd.api.services.containers.v1.UpdateContainerResponse;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.Containers;
import io.jcontainerd.wire.Masks;

/** {@code containerd.services.containers.v1.Containers}. */
final class ContainersService {
  private final ContainerStore store;

  ContainersService(ContainerStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(ContainersGrpc.getServiceDescriptor(), time)
        .unary(ContainersGrpc.getGetMethod(), this::get)
        .unary(ContainersGrpc.getListMethod(), this::list)
        .serverStream(ContainersGrpc.getListStreamMethod(), this::listStream)
        .unary(ContainersGrpc.getCreateMethod(), this::create)
        .unary(ContainersGrpc.getUpdateMethod(), this::update)
        .unary(ContainersGrpc.getDeleteMethod(), this::delete)
        .build();
  }

  private GetContainerResponse get(GetContainerRequest request) {
    return GetContainerResponse.newBuilder()
        .setContainer(Containers.toApi(store.get(request.getId())))
        .build();
  }

  private ListContainersResponse list(ListContainersRequest request) {
    return ListContainersResponse.newBuilder()
        .addAllContainers(
            store.list(Filter.any(request.getFiltersList())).stream()
                .map(Containers::toApi)
                .toList())
        .build();
  }

  private void listStream(ListContainersRequest request, Sink<ListContainerMessage> answers)
      throws InterruptedException {
    for (Container container : store.list(Filter.any(request.getFiltersList()))) {
      answers.send(
          ListContainerMessage.newBuilder().setContainer(Containers.toApi(container)).build());
    }
  }

  private CreateContainerResponse create(CreateContainerRequest request) {
    return CreateContainerResponse.newBuilder()
        .setContainer(Containers.toApi(store.create(Containers.toCore(request.getContainer()))))
        .build();
  }

  private UpdateContainerResponse update(UpdateContainerRequest request) {
    return UpdateContainerResponse.newBuilder()
        .setContainer(
            Containers.toApi(
                store.update(
                    Containers.toCore(request.getContainer()),
                    Masks.toCore(request.getUpdateMask()))))
        .build();
  }

  private Empty delete(DeleteContainerRequest request) {
    store.delete(request.getId());
    return Empty.getDefaultInstance();
  }
}
