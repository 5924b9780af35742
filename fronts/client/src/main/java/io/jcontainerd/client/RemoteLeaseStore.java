package io.jcontainerd.client;

import io.jcontainerd.api.services.leases.v1.AddResourceRequest;
import io.jcontainerd.api.services.leases.v1.CreateRequest;
import io.jcontainerd.api.services.leases.v1.DeleteRequest;
import io.jcontainerd.api.services.leases.v1.DeleteResourceRequest;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc.LeasesBlockingV2Stub;
import io.jcontainerd.api.services.leases.v1.ListRequest;
import io.jcontainerd.api.services.leases.v1.ListResourcesRequest;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.wire.Leases;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** The daemon's leases. Safe for many threads. */
public final class RemoteLeaseStore implements LeaseStore {
  private static final String EXPIRE = "containerd.io/gc.expire";

  private final Connection connection;
  private final LeasesBlockingV2Stub stub;

  RemoteLeaseStore(Connection connection) {
    this.connection = connection;
    this.stub = LeasesGrpc.newBlockingV2Stub(connection.channel());
  }

  /**
   * Grants a lease that ends when it is closed, or after the time, should this program die.
   *
   * @param life at least a second
   */
  public LeaseHandle grant(Duration life) {
    Instant end = Instant.now().plus(life).truncatedTo(ChronoUnit.SECONDS);
    byte[] random = new byte[8];
    ThreadLocalRandom.current().nextBytes(random);
    String id = "lease-" + System.nanoTime() + "-" + HexFormat.of().formatHex(random);
    return new LeaseHandle(this, create(id, Map.of(EXPIRE, end.toString())), connection.current());
  }

  @Override
  public Lease create(String id, Map<String, String> labels) {
    CreateRequest request = CreateRequest.newBuilder().setId(id).putAllLabels(labels).build();
    return Leases.toCore(Connection.send(() -> stub.create(request)).getLease());
  }

  @Override
  public void delete(String id, boolean sync) {
    DeleteRequest request = DeleteRequest.newBuilder().setId(id).setSync(sync).build();
    Connection.send(() -> stub.delete(request));
  }

  @Override
  public List<Lease> list(Filter filter) {
    return list(List.of()).stream().filter(l -> filter.matches(RecordFields.of(l))).toList();
  }

  /** Every lease that one of the filters matches, all without filters; the daemon filters. */
  public List<Lease> list(List<String> filters) {
    ListRequest request = ListRequest.newBuilder().addAllFilters(filters).build();
    return Connection.send(() -> stub.list(request)).getLeasesList().stream()
        .map(Leases::toCore)
        .toList();
  }

  @Override
  public void addResource(String id, Lease.Resource resource) {
    AddResourceRequest request =
        AddResourceRequest.newBuilder().setId(id).setResource(Leases.toApi(resource)).build();
    Connection.send(() -> stub.addResource(request));
  }

  @Override
  public void deleteResource(String id, Lease.Resource resource) {
    DeleteResourceRequest request =
        DeleteResourceRequest.newBuilder().setId(id).setResource(Leases.toApi(resource)).build();
    Connection.send(() -> stub.deleteResource(request));
  }

  @Override
  public List<Lease.Resource> listResources(String id) {
    ListResourcesRequest request = ListResourcesRequest.newBuilder().setId(id).build();
    return Connection.send(() -> stub.listResources(request)).getResourcesList().stream()
        .map(Leases::toCore)
        .toList();
  }
}
