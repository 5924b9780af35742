package io.jcontainerd.client;

import com.google.protobuf.Message;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc.TransferBlockingV2Stub;
import io.jcontainerd.api.services.transfer.v1.TransferOptions;
import io.jcontainerd.api.services.transfer.v1.TransferRequest;
import io.jcontainerd.api.types.transfer.ImageExportStream;
import io.jcontainerd.api.types.transfer.ImageImportStream;
import io.jcontainerd.api.types.transfer.OCIRegistry;
import io.jcontainerd.api.types.transfer.RegistryResolver;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.wire.TransferMessages;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Transfers that the daemon does: bytes go between it and registries, and come here only where an
 * archive is read or written. Listeners, credentials and archives are used by other threads than
 * the caller's, which waits for them. Safe for many threads.
 */
public final class RemoteTransfers implements Transfers {
  /** How long what was sent before the transfer ended may still be on its way. */
  private static final Duration LAST_BYTES = Duration.ofMinutes(10);

  private final Connection connection;
  private final TransferBlockingV2Stub stub;

  RemoteTransfers(Connection connection) {
    this.connection = connection;
    this.stub = TransferGrpc.newBlockingV2Stub(connection.channel());
  }

  /**
   * Brings an image from a registry.
   *
   * @throws NotImplementedException if layers are to be discarded, for which there are no words
   */
  @Override
  public List<Image> pull(PullRequest request, TransferListener listener) {
    if (request.discardLayers()) {
      throw new NotImplementedException("pull by the daemon that discards layers");
    }
    try (var streams = new TransferStreams(connection)) {
      run(
          remote(request.source(), streams),
          TransferMessages.toApi(request.destination()),
          listener,
          streams);
      return images(streams);
    }
  }

  @Override
  public void push(PushRequest request, TransferListener listener) {
    try (var streams = new TransferStreams(connection)) {
      run(
          TransferMessages.toApi(request.source()),
          remote(request.destination(), streams),
          listener,
          streams);
    }
  }

  @Override
  public List<Image> importArchive(
      InputStream archive, ImportRequest request, TransferListener listener) {
    try (var streams = new TransferStreams(connection)) {
      ImageImportStream source =
          ImageImportStream.newBuilder()
              .setStream(streams.send(archive))
              .setMediaType(request.mediaType())
              .setForceCompress(request.forceCompress())
              .build();
      run(source, TransferMessages.toApi(request.destination()), listener, streams);
      return images(streams);
    }
  }

  /**
   * Reads an archive of images, or what docker save makes, for this machine: unpacked, and named as
   * the archive says.
   */
  public List<Image> importArchive(InputStream archive) {
    Platform host = Platforms.host();
    var any = new ImageSelection.ExtraReference("import", true, true, true, true);
    var destination =
        new ImageSelection(
            "",
            Map.of(),
            List.of(host),
            false,
            0,
            List.of(any),
            List.of(new ImageSelection.UnpackTarget(host, "")));
    return importArchive(archive, new ImportRequest("", false, destination), TransferListener.NONE);
  }

  /** Writes images, for this machine, into an archive that docker load reads, too. */
  public void exportArchive(OutputStream archive, List<String> names) {
    List<ImageSelection.ExtraReference> references =
        names.stream()
            .map(name -> new ImageSelection.ExtraReference(name, false, false, false, false))
            .toList();
    var source = new ImageSelection("", Map.of(), List.of(), false, 0, references, List.of());
    exportArchive(
        archive,
        new ExportRequest(source, "", List.of(Platforms.host()), false, false, false),
        TransferListener.NONE);
  }

  @Override
  public void exportArchive(
      OutputStream archive, ExportRequest request, TransferListener listener) {
    try (var streams = new TransferStreams(connection)) {
      ImageExportStream destination =
          ImageExportStream.newBuilder()
              .setStream(streams.receive(archive))
              .setMediaType(request.mediaType())
              .addAllPlatforms(request.platforms().stream().map(Types::toApi).toList())
              .setAllPlatforms(request.allPlatforms())
              .setSkipCompatibilityManifest(request.skipCompatibilityManifest())
              .setSkipNonDistributable(request.skipNonDistributable())
              .build();
      run(TransferMessages.toApi(request.source()), destination, listener, streams);
    }
  }

  @Override
  public List<Image> convert(ConversionRequest request, TransferListener listener) {
    try (var streams = new TransferStreams(connection)) {
      run(
          TransferMessages.toApi(new ImageSelection(request.source())),
          TransferMessages.toApi(request),
          listener,
          streams);
      return images(streams);
    }
  }

  @Override
  public List<Image> tag(
      ImageSelection source, ImageSelection destination, TransferListener listener) {
    try (var streams = new TransferStreams(connection)) {
      run(TransferMessages.toApi(source), TransferMessages.toApi(destination), listener, streams);
      return images(streams);
    }
  }

  private static OCIRegistry remote(RemoteImage image, TransferStreams streams) {
    RegistryAccess access = image.access();
    RegistryResolver.Builder resolver = TransferMessages.toApi(access);
    if (!access.credentials().equals(CredentialSource.NONE)) {
      resolver.setAuthStream(streams.credentials(access.credentials()));
    }
    access.log().map(streams::log).ifPresent(resolver::setLogsStream);
    return OCIRegistry.newBuilder().setReference(image.reference()).setResolver(resolver).build();
  }

  private void run(
      Message source, Message destination, TransferListener listener, TransferStreams streams) {
    TransferRequest request =
        TransferRequest.newBuilder()
            .setSource(TypedValues.packApi(source))
            .setDestination(TypedValues.packApi(destination))
            .setOptions(TransferOptions.newBuilder().setProgressStream(streams.progress(listener)))
            .build();
    try {
      Connection.send(() -> stub.transfer(request));
    } catch (ContainerdException e) {
      throw streams
          .ownFailure()
          .<ContainerdException>map(
              cause -> {
                cause.addSuppressed(e);
                return cause;
              })
          .orElse(e);
    }
    streams.await(LAST_BYTES);
  }

  /** What the daemon told to have saved, as it is now. */
  private List<Image> images(TransferStreams streams) {
    var store = new RemoteImageStore(connection);
    List<Image> images = new ArrayList<>();
    streams.saved().stream().map(store::find).flatMap(Optional::stream).forEach(images::add);
    return images;
  }
}
