package io.jcontainerd.wire;

import io.jcontainerd.api.transfer.v1.ConvertedImage;
import io.jcontainerd.api.transfer.v1.LayerForm;
import io.jcontainerd.api.types.transfer.AuthRequest;
import io.jcontainerd.api.types.transfer.AuthResponse;
import io.jcontainerd.api.types.transfer.AuthType;
import io.jcontainerd.api.types.transfer.HTTPDebug;
import io.jcontainerd.api.types.transfer.ImageReference;
import io.jcontainerd.api.types.transfer.ImageStore;
import io.jcontainerd.api.types.transfer.Progress;
import io.jcontainerd.api.types.transfer.RegistryResolver;
import io.jcontainerd.api.types.transfer.UnpackConfiguration;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.TransferProgress;
import java.util.Optional;
import java.util.function.Consumer;

/** What is moved from where to where, and what is told of it meanwhile. */
public final class TransferMessages {
  private TransferMessages() {}

  /** Images of the image store as a message. */
  public static ImageStore toApi(ImageSelection images) {
    return ImageStore.newBuilder()
        .setName(images.name())
        .putAllLabels(images.labels())
        .addAllPlatforms(images.platforms().stream().map(Types::toApi).toList())
        .setAllMetadata(images.allMetadata())
        .setManifestLimit(images.manifestLimit())
        .addAllExtraReferences(images.references().stream().map(TransferMessages::toApi).toList())
        .addAllUnpacks(images.unpacks().stream().map(TransferMessages::toApi).toList())
        .build();
  }

  /** A message as images of the image store. */
  public static ImageSelection toCore(ImageStore images) {
    long limit = Integer.toUnsignedLong(images.getManifestLimit());
    return new ImageSelection(
        images.getName(),
        images.getLabelsMap(),
        images.getPlatformsList().stream().map(Types::toCore).toList(),
        images.getAllMetadata(),
        (int) Math.min(limit, Integer.MAX_VALUE),
        images.getExtraReferencesList().stream().map(TransferMessages::toCore).toList(),
        images.getUnpacksList().stream().map(TransferMessages::toCore).toList());
  }

  /** What is to become of an image, without its source. */
  public static ConvertedImage toApi(ConversionRequest request) {
    return ConvertedImage.newBuilder()
        .setName(request.destination())
        .setLayers(LayerForm.valueOf(request.layers().name()))
        .setToOci(request.toOci())
        .addAllPlatforms(request.platforms().stream().map(Types::toApi).toList())
        .build();
  }

  /**
   * What is to become of an image.
   *
   * @throws InvalidArgumentException if layers are to have a form that we do not know
   */
  public static ConversionRequest toCore(ImageStore source, ConvertedImage destination) {
    if (destination.getLayers() == LayerForm.UNRECOGNIZED) {
      throw new InvalidArgumentException("form of layers " + destination.getLayersValue());
    }
    return new ConversionRequest(
        source.getName(),
        destination.getName(),
        ConversionRequest.Layers.valueOf(destination.getLayers().name()),
        destination.getToOci(),
        destination.getPlatformsList().stream().map(Types::toCore).toList());
  }

  private static ImageReference toApi(ImageSelection.ExtraReference reference) {
    return ImageReference.newBuilder()
        .setName(reference.name())
        .setIsPrefix(reference.isPrefix())
        .setAllowOverwrite(reference.allowOverwrite())
        .setAddDigest(reference.addDigest())
        .setSkipNamedDigest(reference.skipNamedDigest())
        .build();
  }

  private static ImageSelection.ExtraReference toCore(ImageReference reference) {
    return new ImageSelection.ExtraReference(
        reference.getName(),
        reference.getIsPrefix(),
        reference.getAllowOverwrite(),
        reference.getAddDigest(),
        reference.getSkipNamedDigest());
  }

  private static UnpackConfiguration toApi(ImageSelection.UnpackTarget target) {
    return UnpackConfiguration.newBuilder()
        .setPlatform(Types.toApi(target.platform()))
        .setSnapshotter(target.snapshotter())
        .build();
  }

  private static ImageSelection.UnpackTarget toCore(UnpackConfiguration target) {
    return new ImageSelection.UnpackTarget(
        Types.toCore(target.getPlatform()), target.getSnapshotter());
  }

  /** How a registry is spoken to; the streams are the caller's to add. */
  public static RegistryResolver.Builder toApi(RegistryAccess access) {
    return RegistryResolver.newBuilder()
        .putAllHeaders(access.headers())
        .setHostDir(access.hostDir())
        .setDefaultScheme(access.defaultScheme())
        .setHttpDebug(HTTPDebug.valueOf(access.debug().name()));
  }

  /**
   * How a registry is spoken to.
   *
   * @param credentials what is at the other end of the message's stream
   * @param log likewise
   */
  public static RegistryAccess toCore(
      RegistryResolver resolver, CredentialSource credentials, Optional<Consumer<String>> log) {
    if (resolver.getHttpDebug() == HTTPDebug.UNRECOGNIZED) {
      throw new InvalidArgumentException("http debug " + resolver.getHttpDebugValue());
    }
    return new RegistryAccess(
        credentials,
        resolver.getHeadersMap(),
        resolver.getHostDir(),
        resolver.getDefaultScheme(),
        RegistryAccess.HttpDebug.valueOf(resolver.getHttpDebug().name()),
        log);
  }

  /** Who wants to know who we are. */
  public static AuthRequest toApi(CredentialSource.Challenge challenge) {
    return AuthRequest.newBuilder()
        .setHost(challenge.host())
        .setReference(challenge.reference())
        .addAllWwwauthenticate(challenge.wwwAuthenticate())
        .build();
  }

  /** Who wants to know who we are. */
  public static CredentialSource.Challenge toCore(AuthRequest request) {
    return new CredentialSource.Challenge(
        request.getHost(), request.getReference(), request.getWwwauthenticateList());
  }

  /** Who we are. */
  public static AuthResponse toApi(RegistryCredential credential) {
    AuthResponse.Builder response = AuthResponse.newBuilder();
    switch (credential) {
      case RegistryCredential.None _ -> response.setAuthType(AuthType.NONE);
      case RegistryCredential.UserPassword user ->
          response
              .setAuthType(AuthType.CREDENTIALS)
              .setUsername(user.username())
              .setSecret(user.password());
      case RegistryCredential.RefreshToken refresh ->
          response.setAuthType(AuthType.REFRESH).setSecret(refresh.token());
      case RegistryCredential.Header header -> {
        response.setAuthType(AuthType.HEADER).setSecret(header.value());
        header.expireAt().map(Times::toApi).ifPresent(response::setExpireAt);
      }
    }
    return response.build();
  }

  /**
   * Who we are.
   *
   * @throws InvalidArgumentException if it is told in a way that we do not know
   */
  public static RegistryCredential toCore(AuthResponse response) {
    return switch (response.getAuthType()) {
      case NONE -> RegistryCredential.None.NONE;
      case CREDENTIALS ->
          new RegistryCredential.UserPassword(response.getUsername(), response.getSecret());
      case REFRESH -> new RegistryCredential.RefreshToken(response.getSecret());
      case HEADER ->
          new RegistryCredential.Header(
              response.getSecret(),
              response.hasExpireAt()
                  ? Optional.of(Times.toCore(response.getExpireAt()))
                  : Optional.empty());
      case UNRECOGNIZED ->
          throw new InvalidArgumentException("auth type " + response.getAuthTypeValue());
    };
  }

  /** How far a transfer is. */
  public static Progress toApi(TransferProgress progress) {
    Progress.Builder message =
        Progress.newBuilder()
            .setEvent(progress.event())
            .setName(progress.name())
            .addAllParents(progress.parents())
            .setProgress(progress.progress())
            .setTotal(progress.total());
    progress.descriptor().map(Types::toApi).ifPresent(message::setDesc);
    return message.build();
  }

  /** How far a transfer is. */
  public static TransferProgress toCore(Progress progress) {
    return new TransferProgress(
        progress.getEvent(),
        progress.getName(),
        progress.getParentsList(),
        progress.getProgress(),
        progress.getTotal(),
        progress.hasDesc() ? Optional.of(Types.toCore(progress.getDesc())) : Optional.empty());
  }
}
