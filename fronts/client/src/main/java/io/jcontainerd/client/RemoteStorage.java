package io.jcontainerd.client;

import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.storage.v1.CheckRequest;
import io.jcontainerd.api.storage.v1.CheckResponse;
import io.jcontainerd.api.storage.v1.DiskUsageRequest;
import io.jcontainerd.api.storage.v1.RepairRequest;
import io.jcontainerd.api.storage.v1.ScrubStatusRequest;
import io.jcontainerd.api.storage.v1.StorageGrpc;
import io.jcontainerd.api.storage.v1.StorageGrpc.StorageBlockingV2Stub;
import io.jcontainerd.api.storage.v1.WhyKeptRequest;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.Storages;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The daemon's care for what it stores, in all namespaces. Safe for many threads. */
public final class RemoteStorage implements StorageCare, StorageExplainer {
  private final StorageBlockingV2Stub stub;

  RemoteStorage(Connection connection) {
    this.stub = StorageGrpc.newBlockingV2Stub(connection.channel());
  }

  @Override
  public Summary check(Request request, Consumer<Finding> each) {
    BlockingClientCall<?, CheckResponse> call =
        request.repair()
            ? stub.repair(RepairRequest.newBuilder().setDeep(request.deep()).build())
            : stub.check(CheckRequest.newBuilder().setDeep(request.deep()).build());
    var summary = new AtomicReference<@Nullable Summary>();
    new Replies<>(call, Duration.ZERO)
        .each(
            response -> {
              switch (response.getMessageCase()) {
                case FINDING -> each.accept(Storages.toCore(response.getFinding()));
                case SUMMARY -> summary.set(Storages.toCore(response.getSummary()));
                case MESSAGE_NOT_SET -> {}
              }
            });
    Summary last = summary.get();
    if (last == null) {
      throw new UnavailableException("the daemon ended the check without a summary");
    }
    return last;
  }

  @Override
  public Scrub scrub() {
    return Storages.toCore(
        Connection.send(() -> stub.scrubStatus(ScrubStatusRequest.getDefaultInstance())));
  }

  @Override
  public List<Kept> whyKept(String name) {
    WhyKeptRequest request = WhyKeptRequest.newBuilder().setName(name).build();
    return Storages.toCore(Connection.send(() -> stub.whyKept(request)));
  }

  @Override
  public DiskUsage diskUsage() {
    return Storages.toCore(
        Connection.send(() -> stub.diskUsage(DiskUsageRequest.getDefaultInstance())));
  }
}
