package io.jcontainerd.client;

import io.jcontainerd.api.services.images.v1.CreateImageRequest;
import io.jcontainerd.api.services.images.v1.DeleteImageRequest;
import io.jcontainerd.api.services.images.v1.GetImageRequest;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.services.images.v1.ImagesGrpc.ImagesBlockingV2Stub;
import io.jcontainerd.api.services.images.v1.ListImagesRequest;
import io.jcontainerd.api.services.images.v1.UpdateImageRequest;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.wire.Images;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.Types;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The daemon's images. Safe for many threads. */
public final class RemoteImageStore implements ImageStore {
  private final ImagesBlockingV2Stub stub;

  RemoteImageStore(Connection connection) {
    this.stub = ImagesGrpc.newBlockingV2Stub(connection.channel());
  }

  /** The image, if there is one of that name. */
  public Optional<Image> find(String name) {
    try {
      return Optional.of(get(name));
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  @Override
  public Image get(String name) {
    GetImageRequest request = GetImageRequest.newBuilder().setName(name).build();
    return Images.toCore(Connection.send(() -> stub.get(request)).getImage());
  }

  @Override
  public List<Image> list(Filter filter) {
    return list(List.of()).stream().filter(i -> filter.matches(RecordFields.of(i))).toList();
  }

  /** Every image that one of the filters matches, all without filters; the daemon filters. */
  public List<Image> list(List<String> filters) {
    ListImagesRequest request = ListImagesRequest.newBuilder().addAllFilters(filters).build();
    return Connection.send(() -> stub.list(request)).getImagesList().stream()
        .map(Images::toCore)
        .toList();
  }

  @Override
  public Image create(Image image, Optional<Instant> sourceDateEpoch) {
    CreateImageRequest.Builder request =
        CreateImageRequest.newBuilder().setImage(Images.toApi(image));
    sourceDateEpoch.map(Times::toApi).ifPresent(request::setSourceDateEpoch);
    return Images.toCore(Connection.send(() -> stub.create(request.build())).getImage());
  }

  @Override
  public Image update(Image image, FieldMask mask, Optional<Instant> sourceDateEpoch) {
    UpdateImageRequest.Builder request =
        UpdateImageRequest.newBuilder().setImage(Images.toApi(image));
    if (!mask.isAll()) {
      request.setUpdateMask(Masks.toApi(mask));
    }
    sourceDateEpoch.map(Times::toApi).ifPresent(request::setSourceDateEpoch);
    return Images.toCore(Connection.send(() -> stub.update(request.build())).getImage());
  }

  @Override
  public void delete(String name, Optional<Digest> target, boolean sync) {
    DeleteImageRequest.Builder request =
        DeleteImageRequest.newBuilder().setName(name).setSync(sync);
    target.ifPresent(digest -> request.setTarget(Types.toApi(new Descriptor("", digest, 0))));
    Connection.send(() -> stub.delete(request.build()));
  }
}
