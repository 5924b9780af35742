package io.jcontainerd.services;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.storage.v1.CheckResponse;
import io.jcontainerd.api.storage.v1.StorageGrpc;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.Storages;

/** {@code jcontainerd.services.storage.v1.Storage}. */
final class StorageService {
  private final StorageCare care;
  private final StorageExplainer explainer;

  StorageService(StorageCare care, StorageExplainer explainer) {
    this.care = care;
    this.explainer = explainer;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(StorageGrpc.getServiceDescriptor(), time)
        .serverStream(
            StorageGrpc.getCheckMethod(),
            (request, answers) -> check(request.getDeep(), false, answers))
        .serverStream(
            StorageGrpc.getRepairMethod(),
            (request, answers) -> check(request.getDeep(), true, answers))
        .unary(StorageGrpc.getScrubStatusMethod(), _ -> Storages.toApi(care.scrub()))
        .unary(
            StorageGrpc.getWhyKeptMethod(),
            request -> Storages.toApi(explainer.whyKept(request.getName())))
        .unary(StorageGrpc.getDiskUsageMethod(), _ -> Storages.toApi(explainer.diskUsage()))
        .build();
  }

  private void check(boolean deep, boolean repair, Sink<CheckResponse> answers)
      throws InterruptedException {
    StorageCare.Summary summary =
        care.check(
            new StorageCare.Request(deep, repair),
            finding -> {
              try {
                answers.send(Storages.toApi(finding));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancelledException("check: the client is gone", e);
              }
            });
    answers.send(Storages.toApi(summary));
  }
}
