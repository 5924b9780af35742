package io.jcontainerd.transfer.convert;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.oci.image.LayerType;
import io.jcontainerd.transfer.flow.Slots;
import io.jcontainerd.transfer.flow.Tasks;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;

/**
 * Brings layers into the form that is wanted, several at a time, each blob once. Layers that are in
 * that form, that are no tar archives, or that are elsewhere stay what they are. For one thread.
 */
final class LayerForms {
  /** Who hears how it goes with a layer. */
  interface Listener {
    /** So many of its bytes were read. */
    void converting(Descriptor layer, Descriptor manifest, long bytes);

    /** It has its new form. */
    void converted(Descriptor layer, Descriptor manifest);
  }

  /**
   * A layer as the image has it.
   *
   * @param diffId the digest of its plain form, if the image says it
   * @param isAbove whether others are below it when it is unpacked
   * @param isHere whether its blob is
   */
  record Layer(Descriptor descriptor, Optional<Digest> diffId, boolean isAbove, boolean isHere) {}

  /** What a blob is made of. An image of a file system may not be one if others are below it. */
  private record Source(Digest digest, boolean isAbove) {
    static Source of(Layer layer, ConversionRequest.Layers form) {
      return new Source(
          layer.descriptor().digest(), form == ConversionRequest.Layers.EROFS && layer.isAbove());
    }
  }

  /**
   * A layer as it will be.
   *
   * @param diffId the digest of its plain form, if that has changed
   */
  record Converted(Descriptor descriptor, Optional<Digest> diffId) {}

  private final ContentStore content;
  private final NewBlobs blobs;
  private final LayerConversion packer;
  private final Optional<LayerImages> images;
  private final Slots slots;
  private final Listener listener;

  /** Blobs that were made, by what they were made of. */
  private final Map<Source, NewBlobs.Blob> made = new ConcurrentHashMap<>();

  LayerForms(
      ContentStore content,
      NewBlobs blobs,
      Optional<LayerImages> images,
      LongUnaryOperator mostBytes,
      Slots slots,
      Listener listener) {
    this.content = content;
    this.blobs = blobs;
    this.packer = new LayerConversion(content, blobs, mostBytes);
    this.images = images;
    this.slots = slots;
    this.listener = listener;
  }

  /** The layers of a manifest, in their order. */
  List<Converted> convert(
      List<Layer> layers, ConversionRequest.Layers form, boolean toOci, Descriptor manifest) {
    try (Tasks tasks = new Tasks()) {
      layers.stream()
          .filter(layer -> layer.isHere() && LayerType.parse(type(layer)).isPresent())
          .filter(layer -> !made.containsKey(Source.of(layer, form)))
          .collect(
              Collectors.toMap(
                  layer -> Source.of(layer, form), layer -> layer, (first, _) -> first))
          .values()
          .forEach(layer -> tasks.begin(() -> make(layer, form, manifest)));
      tasks.join();
    }
    return layers.stream().map(layer -> converted(layer, form, toOci)).toList();
  }

  private static String type(Layer layer) {
    return layer.descriptor().mediaType();
  }

  /** The packing that is wanted; none if layers keep theirs, or become something else. */
  private static Optional<LayerType.Packing> packing(ConversionRequest.Layers form) {
    return switch (form) {
      case KEPT, EROFS -> Optional.empty();
      case UNCOMPRESSED -> Optional.of(LayerType.Packing.NONE);
      case GZIP -> Optional.of(LayerType.Packing.GZIP);
      case ZSTD -> Optional.of(LayerType.Packing.ZSTD);
    };
  }

  private void make(Layer layer, ConversionRequest.Layers form, Descriptor manifest)
      throws InterruptedException {
    Descriptor at = layer.descriptor();
    Optional<LayerType.Packing> wanted = packing(form);
    if (form == ConversionRequest.Layers.EROFS) {
      LayerImages maker =
          images.orElseThrow(
              () -> new NotImplementedException("layers become no erofs images here"));
      try (Slots.Slot _ = slots.take(0)) {
        listener.converting(at, manifest, 0);
        made.put(Source.of(layer, form), image(layer, maker));
      }
    } else if (wanted.isPresent()) {
      LayerType.Packing found = packer.packing(at);
      if (found == wanted.get()) {
        return;
      }
      try (Slots.Slot _ = slots.take(0)) {
        listener.converting(at, manifest, 0);
        made.put(Source.of(layer, form), packed(layer, found, wanted.get(), manifest));
      }
    } else {
      return;
    }
    listener.converted(at, manifest);
  }

  private NewBlobs.Blob image(Layer layer, LayerImages maker) {
    try {
      return blobs.make(
          out -> {
            Descriptor plain =
                maker.write(layer.descriptor(), layer.isAbove(), blobs::checkRoom, out);
            LayerConversion.check(layer.descriptor(), layer.diffId(), plain.digest());
            return Map.of();
          });
    } catch (IOException e) {
      throw e.getCause() instanceof ContainerdException known
          ? known
          : new UnavailableException(
              "layer " + layer.descriptor().digest() + ": " + e.getMessage(), e);
    }
  }

  private NewBlobs.Blob packed(
      Layer layer, LayerType.Packing from, LayerType.Packing to, Descriptor manifest) {
    Descriptor at = layer.descriptor();
    if (to == LayerType.Packing.NONE && layer.diffId().isPresent()) {
      Digest plain = layer.diffId().get();
      blobs.keep(plain);
      var known = content.find(plain);
      if (known.isPresent()) {
        return new NewBlobs.Blob(plain, known.get().size());
      }
    }
    return packer.convert(
        at, from, to, layer.diffId(), bytes -> listener.converting(at, manifest, bytes));
  }

  private Converted converted(Layer layer, ConversionRequest.Layers form, boolean toOci) {
    Descriptor at = layer.descriptor();
    Optional<LayerType> parsed = LayerType.parse(at.mediaType());
    if (parsed.isEmpty()) {
      return new Converted(at, Optional.empty());
    }
    LayerType type = toOci ? parsed.get().toOci() : parsed.get();
    if (!layer.isHere()) {
      return new Converted(renamed(at, type.mediaType()), Optional.empty());
    }
    if (form == ConversionRequest.Layers.EROFS) {
      NewBlobs.Blob blob = Objects.requireNonNull(made.get(Source.of(layer, form)));
      return new Converted(
          new Descriptor(
              images.orElseThrow().mediaType(), blob.digest(), blob.size(), at.annotations()),
          Optional.of(blob.digest()));
    }
    LayerType packed = packing(form).map(type::packed).orElse(type);
    NewBlobs.Blob blob = made.get(Source.of(layer, form));
    if (blob == null) {
      return new Converted(renamed(at, packed.mediaType()), Optional.empty());
    }
    // nobody else has it, so it has to be where the image is
    return new Converted(
        new Descriptor(
            packed.distributable().mediaType(), blob.digest(), blob.size(), at.annotations()),
        Optional.empty());
  }

  private static Descriptor renamed(Descriptor at, String mediaType) {
    return new Descriptor(mediaType, at.digest(), at.size(), at.annotations(), at.urls());
  }
}
