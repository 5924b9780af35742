package io.jcontainerd.services;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.sandbox.v1.StoreCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreCreateResponse;
import io.jcontainerd.api.services.sandbox.v1.StoreDeleteRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreDeleteResponse;
import io.jcontainerd.api.services.sandbox.v1.StoreGetRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreGetResponse;
import io.jcontainerd.api.services.sandbox.v1.StoreGrpc;
import io.jcontainerd.api.services.sandbox.v1.StoreListRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreListResponse;
import io.jcontainerd.api.services.sandbox.v1.StoreUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreUpdateResponse;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Sandboxes;

/** {@code containerd.services.sandbox.v1.Store}. */
final class SandboxesService {
  private final SandboxStore store;

  SandboxesService(SandboxStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(StoreGrpc.getServiceDescriptor(), time)
        .unary(StoreGrpc.getCreateMethod(), this::create)
        .unary(StoreGrpc.getUpdateMethod(), this::update)
        .unary(StoreGrpc.getDeleteMethod(), this::delete)
        .unary(StoreGrpc.getListMethod(), this::list)
        .unary(StoreGrpc.getGetMethod(), this::get)
        .build();
  }

  private StoreCreateResponse create(StoreCreateRequest request) {
    return StoreCreateResponse.newBuilder()
        .setSandbox(Sandboxes.toApi(store.create(Sandboxes.toCore(request.getSandbox()))))
        .build();
  }

  private StoreUpdateResponse update(StoreUpdateRequest request) {
    return StoreUpdateResponse.newBuilder()
        .setSandbox(
            Sandboxes.toApi(
                store.update(
                    Sandboxes.toCore(request.getSandbox()),
                    new FieldMask(request.getFieldsList()))))
        .build();
  }

  private StoreDeleteResponse delete(StoreDeleteRequest request) {
    store.delete(request.getSandboxId());
    return StoreDeleteResponse.getDefaultInstance();
  }

  private StoreListResponse list(StoreListRequest request) {
    return StoreListResponse.newBuilder()
        .addAllList(
            store.list(Filter.any(request.getFiltersList())).stream()
                .map(Sandboxes::toApi)
                .toList())
        .build();
  }

  private StoreGetResponse get(StoreGetRequest request) {
    return StoreGetResponse.newBuilder()
        .setSandbox(Sandboxes.toApi(store.get(request.getSandboxId())))
        .build();
  }
}
