package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.images.v1.CreateImageRequest;
import io.jcontainerd.api.services.images.v1.CreateImageResponse;
import io.jcontainerd.api.services.images.v1.DeleteImageRequest;
import io.jcontainerd.api.services.images.v1.GetImageRequest;
import io.jcontainerd.api.services.images.v1.GetImageResponse;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.services.images.v1.ListImagesRequest;
import io.jcontainerd.api.services.images.v1.ListImagesResponse;
import io.jcontainerd.api.services.images.v1.UpdateImageRequest;
import io.jcontainerd.api.services.images.v1.UpdateImageResponse;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Contents;
import io.jcontainerd.wire.Images;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Times;

/** {@code containerd.services.images.v1.Images}. */
final class ImagesService {
  private static final String NOTHING = Digest.sha256(new byte[0]).toString();

  private final ImageStore store;

  ImagesService(ImageStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(ImagesGrpc.getServiceDescriptor(), time)
        .unary(ImagesGrpc.getGetMethod(), this::get)
        .unary(ImagesGrpc.getListMethod(), this::list)
        .unary(ImagesGrpc.getCreateMethod(), this::create)
        .unary(ImagesGrpc.getUpdateMethod(), this::update)
        .unary(ImagesGrpc.getDeleteMethod(), this::delete)
        .build();
  }

  private GetImageResponse get(GetImageRequest request) {
    return GetImageResponse.newBuilder()
        .setImage(Images.toApi(store.get(request.getName())))
        .build();
  }

  private ListImagesResponse list(ListImagesRequest request) {
    return ListImagesResponse.newBuilder()
        .addAllImages(
            store.list(Filter.any(request.getFiltersList())).stream().map(Images::toApi).toList())
        .build();
  }

  private CreateImageResponse create(CreateImageRequest request) {
    Image image =
        store.create(
            Images.toCore(request.getImage()),
            Times.toCore(request.hasSourceDateEpoch(), request.getSourceDateEpoch()));
    return CreateImageResponse.newBuilder().setImage(Images.toApi(image)).build();
  }

  private UpdateImageResponse update(UpdateImageRequest request) {
    FieldMask mask = Masks.toCore(request.getUpdateMask());
    Image image =
        store.update(
            Images.toCore(withTarget(request.getImage(), mask)),
            mask,
            Times.toCore(request.hasSourceDateEpoch(), request.getSourceDateEpoch()));
    return UpdateImageResponse.newBuilder().setImage(Images.toApi(image)).build();
  }

  private Empty delete(DeleteImageRequest request) {
    store.delete(
        request.getName(), Contents.digest(request.getTarget().getDigest()), request.getSync());
    return Empty.getDefaultInstance();
  }

  /**
   * Clients that change only labels or annotations leave the target out. The record wants one, so
   * it gets a stand-in, which the mask keeps from being written.
   */
  private static io.jcontainerd.api.services.images.v1.Image withTarget(
      io.jcontainerd.api.services.images.v1.Image image, FieldMask mask) {
    boolean written = mask.isAll() || mask.paths().contains("target");
    if (written || !image.getTarget().getDigest().isEmpty()) {
      return image;
    }
    return image.toBuilder().setTarget(image.getTarget().toBuilder().setDigest(NOTHING)).build();
  }
}
