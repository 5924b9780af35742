package io.jcontainerd.client;

import io.jcontainerd.api.services.sandbox.v1.StoreCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreDeleteRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreGetRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreGrpc;
import io.jcontainerd.api.services.sandbox.v1.StoreGrpc.StoreBlockingV2Stub;
import io.jcontainerd.api.services.sandbox.v1.StoreListRequest;
import io.jcontainerd.api.services.sandbox.v1.StoreUpdateRequest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.wire.Sandboxes;
import java.util.List;

/** The daemon's records of sandboxes. Safe for many threads. */
public final class RemoteSandboxStore implements SandboxStore {
  private final StoreBlockingV2Stub stub;

  RemoteSandboxStore(Connection connection) {
    this.stub = StoreGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public Sandbox get(String id) {
    StoreGetRequest request = StoreGetRequest.newBuilder().setSandboxId(id).build();
    return Sandboxes.toCore(Connection.send(() -> stub.get(request)).getSandbox());
  }

  @Override
  public List<Sandbox> list(Filter filter) {
    return list(List.of()).stream().filter(s -> filter.matches(RecordFields.of(s))).toList();
  }

  /** Every sandbox that one of the filters matches, all without filters; the daemon filters. */
  public List<Sandbox> list(List<String> filters) {
    StoreListRequest request = StoreListRequest.newBuilder().addAllFilters(filters).build();
    return Connection.send(() -> stub.list(request)).getListList().stream()
        .map(Sandboxes::toCore)
        .toList();
  }

  @Override
  public Sandbox create(Sandbox sandbox) {
    StoreCreateRequest request =
        StoreCreateRequest.newBuilder().setSandbox(Sandboxes.toApi(sandbox)).build();
    return Sandboxes.toCore(Connection.send(() -> stub.create(request)).getSandbox());
  }

  @Override
  public Sandbox update(Sandbox sandbox, FieldMask mask) {
    StoreUpdateRequest request =
        StoreUpdateRequest.newBuilder()
            .setSandbox(Sandboxes.toApi(sandbox))
            .addAllFields(mask.paths())
            .build();
    return Sandboxes.toCore(Connection.send(() -> stub.update(request)).getSandbox());
  }

  @Override
  public void delete(String id) {
    StoreDeleteRequest request = StoreDeleteRequest.newBuilder().setSandboxId(id).build();
    Connection.send(() -> stub.delete(request));
  }
}
