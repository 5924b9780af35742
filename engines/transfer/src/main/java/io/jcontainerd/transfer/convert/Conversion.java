package io.jcontainerd.transfer.convert;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One image on its way into another form: from its name down to its layers, and up again with new
 * documents where something below has changed. What does not change keeps its bytes and so its
 * digest. All that is relied on or made is kept by the call's lease. For one thread.
 */
final class Conversion {
  private static final int DEEPEST = 8;
  private static final int MOST_DOCUMENTS = 256;
  private static final String GC = "containerd.io/gc.";
  private static final String SOURCE = "containerd.io/distribution.source.";

  private final ContentStore content;
  private final NewBlobs blobs;
  private final LayerForms layers;
  private final ConversionRequest request;

  /** What documents have become. */
  private final Map<Digest, Descriptor> done = new HashMap<>();

  Conversion(ContentStore content, NewBlobs blobs, LayerForms layers, ConversionRequest request) {
    this.content = content;
    this.blobs = blobs;
    this.layers = layers;
    this.request = request;
  }

  /** What a document becomes, all that it refers to included. */
  Descriptor convert(Descriptor root) {
    ImageDocument.checkType(root.mediaType());
    return document(root, 0);
  }

  private Descriptor document(Descriptor at, int depth) {
    if (depth > DEEPEST) {
      throw new InvalidArgumentException(subject() + "indexes are nested too deeply");
    }
    Descriptor known = done.get(at.digest());
    if (known != null) {
      return known;
    }
    if (done.size() >= MOST_DOCUMENTS) {
      throw new InvalidArgumentException(
          subject() + "it has more than " + MOST_DOCUMENTS + " manifests, choose a platform");
    }
    byte[] bytes = read(at);
    ImageDocument parsed = ImageDocument.parse(bytes, at.mediaType());
    JsonObject json = JsonObject.parse(bytes);
    Descriptor now =
        switch (parsed) {
          case Index index -> index(at, index, json, depth);
          case Manifest manifest -> manifest(at, manifest, json);
        };
    done.put(at.digest(), now);
    return now;
  }

  private String subject() {
    return "image " + request.source() + ": ";
  }

  private byte[] read(Descriptor at) {
    expect(at);
    if (at.size() > ImageDocument.LONGEST) {
      throw new InvalidArgumentException(
          subject() + "document " + at.digest() + " of " + at.size() + " bytes is too long");
    }
    try (ContentReader reader = content.reader(at.digest())) {
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(reader.size()));
      while (bytes.hasRemaining()) {
        if (reader.read(bytes, bytes.position()) < 0) {
          throw new DataLossException("content " + at.digest() + " ends early");
        }
      }
      return bytes.array();
    }
  }

  /** Keeps what will be relied on, and sees that it is here. */
  private void expect(Descriptor part) {
    blobs.keep(part.digest());
    ContentInfo info =
        content
            .find(part.digest())
            .orElseThrow(
                () ->
                    new NotFoundException(
                        subject()
                            + "content "
                            + part.digest()
                            + " is not here; pull all platforms, or convert those that are"));
    if (info.size() != part.size()) {
      throw new DataLossException(
          "content %s has %d bytes instead of %d"
              .formatted(part.digest(), info.size(), part.size()));
    }
  }

  private Descriptor index(Descriptor at, Index index, JsonObject json, int depth) {
    List<Index.Entry> entries = index.manifests();
    List<Index.Entry> chosen =
        request.platforms().isEmpty()
            ? entries
            : new PlatformChoice(request.platforms()).of(entries, Index.Entry::platform);
    if (chosen.isEmpty() && !entries.isEmpty()) {
      throw new NotFoundException(
          subject()
              + "nothing is for platform "
              + request.platforms().stream()
                  .map(Platforms::format)
                  .collect(Collectors.joining(", ")));
    }
    List<JsonObject> before = json.objects("manifests");
    List<JsonObject> now = new ArrayList<>();
    boolean changed = false;
    for (int i = 0; i < entries.size(); i++) {
      Index.Entry entry = entries.get(i);
      if (!chosen.contains(entry)) {
        changed = true;
        continue;
      }
      Descriptor part = entry.descriptor();
      Descriptor converted = part;
      if (MediaTypes.isIndex(part.mediaType()) || MediaTypes.isManifest(part.mediaType())) {
        converted = document(part, depth + 1);
      } else {
        expect(part);
      }
      changed |= !converted.digest().equals(part.digest());
      now.add(CanonicalJson.descriptor(before.get(i), converted));
    }
    String type = documentType(at.mediaType());
    if (!changed && type.equals(at.mediaType())) {
      return at;
    }
    JsonObject made =
        typed(json, type).with("manifests", JsonArray.of(now, descriptor -> descriptor));
    return store(at, type, CanonicalJson.index(made));
  }

  private String documentType(String mediaType) {
    if (!toOci()) {
      return mediaType;
    }
    return switch (mediaType) {
      case MediaTypes.DOCKER_LIST -> MediaTypes.INDEX;
      case MediaTypes.DOCKER_MANIFEST -> MediaTypes.MANIFEST;
      case MediaTypes.DOCKER_CONFIG -> MediaTypes.CONFIG;
      default -> mediaType;
    };
  }

  /** Docker has words neither for zstandard nor for file system images. */
  private boolean toOci() {
    return switch (request.layers()) {
      case ZSTD, EROFS -> true;
      case KEPT, UNCOMPRESSED, GZIP -> request.toOci();
    };
  }

  /** A document need not say what it is. */
  private static JsonObject typed(JsonObject document, String type) {
    return document.string("mediaType").isPresent() ? document.with("mediaType", type) : document;
  }

  private Descriptor manifest(Descriptor at, Manifest manifest, JsonObject json) {
    Descriptor config = manifest.config();
    expect(config);
    List<Digest> diffIds =
        MediaTypes.isConfig(config.mediaType())
            ? ImageConfig.parse(read(config)).diffIds()
            : List.of();
    boolean isImage = diffIds.size() == manifest.layers().size();
    List<LayerForms.Layer> all = new ArrayList<>();
    for (int i = 0; i < manifest.layers().size(); i++) {
      Descriptor layer = manifest.layers().get(i);
      boolean isElsewhere =
          MediaTypes.isNondistributable(layer.mediaType())
              && content.find(layer.digest()).isEmpty();
      if (!isElsewhere) {
        expect(layer);
      }
      all.add(
          new LayerForms.Layer(
              layer,
              isImage ? Optional.of(diffIds.get(i)) : Optional.empty(),
              isImage && i > 0,
              !isElsewhere));
    }
    List<LayerForms.Converted> converted = layers.convert(all, request.layers(), toOci(), at);
    Descriptor configNow = config(config, diffIds, converted);
    String type = documentType(at.mediaType());
    if (type.equals(at.mediaType())
        && configNow.equals(config)
        && converted.stream()
            .map(LayerForms.Converted::descriptor)
            .toList()
            .equals(manifest.layers())) {
      return at;
    }
    List<JsonObject> before = json.objects("layers");
    List<JsonObject> now = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      now.add(CanonicalJson.descriptor(before.get(i), converted.get(i).descriptor()));
    }
    JsonObject made =
        typed(json, type)
            .with(
                "config",
                CanonicalJson.descriptor(json.object("config").orElse(JsonObject.EMPTY), configNow))
            .with("layers", JsonArray.of(now, descriptor -> descriptor));
    return store(at, type, CanonicalJson.manifest(made));
  }

  /** The config with what layers are when they are unpacked, where that has changed. */
  private Descriptor config(
      Descriptor at, List<Digest> diffIds, List<LayerForms.Converted> layers) {
    String type = documentType(at.mediaType());
    Descriptor renamed = new Descriptor(type, at.digest(), at.size(), at.annotations(), at.urls());
    List<Digest> now = new ArrayList<>(diffIds);
    if (layers.size() == diffIds.size()) {
      for (int i = 0; i < now.size(); i++) {
        now.set(i, layers.get(i).diffId().orElse(now.get(i)));
      }
    }
    if (now.equals(diffIds)) {
      return renamed;
    }
    byte[] bytes =
        JsonObject.parse(read(at))
            .withAt(
                List.of("rootfs", "diff_ids"),
                JsonArray.ofStrings(now.stream().map(Digest::toString).toList()))
            .toBytes();
    NewBlobs.Blob blob = blobs.document(bytes, labels(at));
    return new Descriptor(type, blob.digest(), blob.size(), at.annotations());
  }

  private Descriptor store(Descriptor before, String type, JsonObject document) {
    byte[] bytes = CanonicalJson.bytes(document);
    Map<String, String> labels = labels(before);
    labels.putAll(
        GcReferences.of(
            ImageDocument.parse(bytes, type), part -> content.find(part.digest()).isPresent()));
    NewBlobs.Blob blob = blobs.document(bytes, labels);
    Descriptor made = Descriptors.of(type, bytes);
    if (!blob.digest().equals(made.digest())) {
      throw new DataLossException("content " + made.digest() + " was stored as " + blob.digest());
    }
    return made;
  }

  /** What was noted of a document, but not what kept it or where it came from. */
  private Map<String, String> labels(Descriptor of) {
    Map<String, String> labels = new HashMap<>();
    content
        .info(of.digest())
        .labels()
        .forEach(
            (key, value) -> {
              if (!key.startsWith(GC) && !key.startsWith(SOURCE)) {
                labels.put(key, value);
              }
            });
    return labels;
  }
}
