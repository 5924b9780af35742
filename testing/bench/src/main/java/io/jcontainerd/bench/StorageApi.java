package io.jcontainerd.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.WriteAction;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.api.services.images.v1.CreateImageRequest;
import io.jcontainerd.api.services.images.v1.Image;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.services.images.v1.ListImagesRequest;
import io.jcontainerd.api.services.images.v1.UpdateImageRequest;
import io.jcontainerd.api.services.leases.v1.CreateRequest;
import io.jcontainerd.api.services.leases.v1.DeleteRequest;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.types.Descriptor;
import io.jcontainerd.bench.OciArchive.Blob;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The calls of images, content and leases that are measured; for many threads. */
final class StorageApi implements AutoCloseable {
  private static final long DEADLINE_SECONDS = 300;

  private final Connection connection;
  private final Channel channel;

  StorageApi(Path socket, String namespace) {
    connection = new Connection(socket, namespace);
    channel = connection.channel();
  }

  private ImagesGrpc.ImagesBlockingStub images() {
    return ImagesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private LeasesGrpc.LeasesBlockingStub leases() {
    return LeasesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * Writes a blob.
   *
   * @param lease keeps it
   */
  Blob write(byte[] bytes, Map<String, String> labels, String lease) throws InterruptedException {
    Blob blob = Blob.of(bytes);
    var headers = new Metadata();
    headers.put(Connection.header("containerd-lease"), lease);
    var answer = new CompletableFuture<WriteAction>();
    StreamObserver<WriteContentRequest> requests =
        ContentGrpc.newStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
            .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
            .write(
                new StreamObserver<>() {
                  @Override
                  public void onNext(WriteContentResponse response) {
                    answer.complete(response.getAction());
                  }

                  @Override
                  public void onError(Throwable failure) {
                    answer.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {
                    answer.completeExceptionally(
                        new IllegalStateException("the write ended without an answer"));
                  }
                });
    requests.onNext(
        WriteContentRequest.newBuilder()
            .setAction(WriteAction.COMMIT)
            .setRef("bench-" + blob.hex())
            .setTotal(bytes.length)
            .setExpected(blob.digest())
            .setData(ByteString.copyFrom(bytes))
            .putAllLabels(labels)
            .build());
    requests.onCompleted();
    try {
      answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException("a write of " + blob.digest() + " was not answered", e);
    } catch (ExecutionException e) {
      if (Status.fromThrowable(e.getCause()).getCode() != Status.Code.ALREADY_EXISTS) {
        throw new IllegalStateException("a write of " + blob.digest() + " failed", e.getCause());
      }
    }
    return blob;
  }

  void createImage(String name, Blob manifest, Map<String, String> labels) {
    images()
        .create(
            CreateImageRequest.newBuilder()
                .setImage(
                    Image.newBuilder()
                        .setName(name)
                        .putAllLabels(labels)
                        .setTarget(
                            Descriptor.newBuilder()
                                .setMediaType(OciArchive.MANIFEST)
                                .setDigest(manifest.digest())
                                .setSize(manifest.size())))
                .build());
  }

  /** Sets one label of an image. */
  void label(String image, String key, String value) {
    images()
        .update(
            UpdateImageRequest.newBuilder()
                .setImage(Image.newBuilder().setName(image).putLabels(key, value))
                .setUpdateMask(FieldMask.newBuilder().addPaths("labels." + key))
                .build());
  }

  /** The number of images that pass a filter; every image passes the empty one. */
  int list(String filter) {
    var request = ListImagesRequest.newBuilder();
    if (!filter.isEmpty()) {
      request.addFilters(filter);
    }
    return images().list(request.build()).getImagesCount();
  }

  /**
   * Prepares a snapshot.
   *
   * @param lease keeps it
   */
  void prepare(String key, String parent, String lease) {
    var headers = new Metadata();
    headers.put(Connection.header("containerd-lease"), lease);
    var _ =
        SnapshotsGrpc.newBlockingStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
            .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
            .prepare(
                PrepareSnapshotRequest.newBuilder()
                    .setSnapshotter("overlayfs")
                    .setKey(key)
                    .setParent(parent)
                    .build());
  }

  void createLease(String id) {
    leases().create(CreateRequest.newBuilder().setId(id).build());
  }

  /** Ends a lease and returns when the garbage that it kept is gone. */
  void deleteLease(String id) {
    leases().delete(DeleteRequest.newBuilder().setId(id).setSync(true).build());
  }

  /** Whether the daemon has a blob. */
  boolean has(Blob blob) {
    try {
      ContentGrpc.newBlockingStub(channel)
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .info(
              io.jcontainerd.api.services.content.v1.InfoRequest.newBuilder()
                  .setDigest(blob.digest())
                  .build());
      return true;
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
