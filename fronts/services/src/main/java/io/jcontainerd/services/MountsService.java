package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.mounts.v1.ActivateRequest;
import io.jcontainerd.api.services.mounts.v1.ActivateResponse;
import io.jcontainerd.api.services.mounts.v1.DeactivateRequest;
import io.jcontainerd.api.services.mounts.v1.InfoRequest;
import io.jcontainerd.api.services.mounts.v1.InfoResponse;
import io.jcontainerd.api.services.mounts.v1.ListMessage;
import io.jcontainerd.api.services.mounts.v1.ListRequest;
import io.jcontainerd.api.services.mounts.v1.MountsGrpc;
import io.jcontainerd.api.services.mounts.v1.UpdateRequest;
import io.jcontainerd.api.services.mounts.v1.UpdateResponse;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.Activations;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Types;
import java.util.Set;

/** {@code containerd.services.mounts.v1.Mounts}. */
final class MountsService {
  private final MountManager manager;

  MountsService(MountManager manager) {
    this.manager = manager;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(MountsGrpc.getServiceDescriptor(), time)
        .unary(MountsGrpc.getActivateMethod(), this::activate)
        .unary(MountsGrpc.getDeactivateMethod(), this::deactivate)
        .unary(MountsGrpc.getInfoMethod(), this::info)
        .unary(MountsGrpc.getUpdateMethod(), this::update)
        .serverStream(MountsGrpc.getListMethod(), this::list)
        .build();
  }

  private ActivateResponse activate(ActivateRequest request) {
    var options = new ActivationOptions(request.getLabelsMap(), request.getTemporary(), Set.of());
    Activation activation =
        manager.activate(request.getName(), Types.mountsToCore(request.getMountsList()), options);
    return ActivateResponse.newBuilder().setInfo(Activations.toApi(activation)).build();
  }

  private Empty deactivate(DeactivateRequest request) {
    manager.deactivate(request.getName());
    return Empty.getDefaultInstance();
  }

  private InfoResponse info(InfoRequest request) {
    return InfoResponse.newBuilder()
        .setInfo(Activations.toApi(manager.info(request.getName())))
        .build();
  }

  private UpdateResponse update(UpdateRequest request) {
    Activation updated =
        manager.update(
            Activations.toCore(request.getInfo()), Masks.toCore(request.getUpdateMask()));
    return UpdateResponse.newBuilder().setInfo(Activations.toApi(updated)).build();
  }

  /** Filters are taken and mean nothing, as in containerd. */
  private void list(ListRequest request, Sink<ListMessage> answers) throws InterruptedException {
    for (Activation activation : manager.list()) {
      answers.send(ListMessage.newBuilder().setInfo(Activations.toApi(activation)).build());
    }
  }
}
