package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.leases.v1.AddResourceRequest;
import io.jcontainerd.api.services.leases.v1.CreateRequest;
import io.jcontainerd.api.services.leases.v1.CreateResponse;
import io.jcontainerd.api.services.leases.v1.DeleteRequest;
import io.jcontainerd.api.services.leases.v1.DeleteResourceRequest;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc;
import io.jcontainerd.api.services.leases.v1.ListRequest;
import io.jcontainerd.api.services.leases.v1.ListResourcesRequest;
import io.jcontainerd.api.services.leases.v1.ListResourcesResponse;
import io.jcontainerd.api.services.leases.v1.ListResponse;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Leases;

/** {@code containerd.services.leases.v1.Leases}. */
final class LeasesService {
  private final LeaseStore store;

  LeasesService(LeaseStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(LeasesGrpc.getServiceDescriptor(), time)
        .unary(LeasesGrpc.getCreateMethod(), this::create)
        .unary(LeasesGrpc.getDeleteMethod(), this::delete)
        .unary(LeasesGrpc.getListMethod(), this::list)
        .unary(LeasesGrpc.getAddResourceMethod(), this::addResource)
        .unary(LeasesGrpc.getDeleteResourceMethod(), this::deleteResource)
        .unary(LeasesGrpc.getListResourcesMethod(), this::listResources)
        .build();
  }

  private CreateResponse create(CreateRequest request) {
    return CreateResponse.newBuilder()
        .setLease(Leases.toApi(store.create(request.getId(), request.getLabelsMap())))
        .build();
  }

  private Empty delete(DeleteRequest request) {
    store.delete(request.getId(), request.getSync());
    return Empty.getDefaultInstance();
  }

  private ListResponse list(ListRequest request) {
    return ListResponse.newBuilder()
        .addAllLeases(
            store.list(Filter.any(request.getFiltersList())).stream().map(Leases::toApi).toList())
        .build();
  }

  private Empty addResource(AddResourceRequest request) {
    store.addResource(request.getId(), Leases.toCore(request.getResource()));
    return Empty.getDefaultInstance();
  }

  private Empty deleteResource(DeleteResourceRequest request) {
    store.deleteResource(request.getId(), Leases.toCore(request.getResource()));
    return Empty.getDefaultInstance();
  }

  private ListResourcesResponse listResources(ListResourcesRequest request) {
    return ListResourcesResponse.newBuilder()
        .addAllResources(store.listResources(request.getId()).stream().map(Leases::toApi).toList())
        .build();
  }
}
