package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code docker save} makes of images: configs and layers as files of any name, and a {@code
 * manifest.json} that tells which belong together. A manifest is made of each, and an index of all.
 */
final class DockerArchive {
  private final ArchiveFiles files;
  private final Blobs blobs;

  DockerArchive(ArchiveFiles files, Blobs blobs) {
    this.files = files;
    this.blobs = blobs;
  }

  /** The index of all images, each with its names; their manifests are stored. */
  Index index(byte[] document) {
    if (!(Json.parse(document) instanceof JsonArray images)) {
      throw new InvalidArgumentException("image archive: manifest.json is no list of images");
    }
    List<Index.Entry> entries = new ArrayList<>();
    images.objects().forEach(image -> entries.addAll(image(image)));
    if (entries.isEmpty()) {
      throw new InvalidArgumentException("image archive: manifest.json lists no image");
    }
    return new Index(entries);
  }

  private List<Index.Entry> image(JsonObject image) {
    String configName = image.string("Config").orElse("");
    StoredFile configFile = file(configName);
    ImageConfig config = ImageConfig.parse(blobs.document(configFile.digest(), configFile.size()));
    List<StoredFile> layerFiles = image.strings("Layers").stream().map(this::file).toList();
    List<Digest> diffIds = config.diffIds();
    if (diffIds.size() != layerFiles.size()) {
      throw new InvalidArgumentException(
          "image archive: %s has %d layers, manifest.json %d of them"
              .formatted(configName, diffIds.size(), layerFiles.size()));
    }
    List<Descriptor> layers = new ArrayList<>();
    for (int i = 0; i < layerFiles.size(); i++) {
      layers.add(layer(layerFiles.get(i), diffIds.get(i)));
    }
    Manifest manifest =
        new Manifest(
            MediaTypes.DOCKER_MANIFEST,
            new Descriptor(MediaTypes.DOCKER_CONFIG, configFile.digest(), configFile.size()),
            layers,
            Map.of());
    byte[] bytes = manifest.toBytes();
    blobs.store(bytes, GcReferences.of(manifest));
    Descriptor descriptor = Descriptors.of(MediaTypes.DOCKER_MANIFEST, bytes);
    return named(descriptor, image.strings("RepoTags"), config.platform());
  }

  private StoredFile file(String name) {
    return files.file(EntryPath.of(RawPath.of(name)));
  }

  private Descriptor layer(StoredFile file, Digest diffId) {
    Packing packing = blobs.packing(file.digest());
    Digest plain = packing == Packing.PLAIN ? file.digest() : file.diffId().orElse(diffId);
    if (!plain.equals(diffId)) {
      throw new InvalidArgumentException(
          "image archive: a layer has the digest " + plain + " instead of " + diffId);
    }
    return new Descriptor(packing.dockerType(), file.digest(), file.size());
  }

  private static List<Index.Entry> named(
      Descriptor manifest, List<String> tags, Platform platform) {
    Optional<Platform> known = platform.os().isEmpty() ? Optional.empty() : Optional.of(platform);
    if (tags.isEmpty()) {
      return List.of(new Index.Entry(manifest, known));
    }
    List<Index.Entry> entries = new ArrayList<>();
    for (String text : tags) {
      Reference reference = Reference.parse(text).withDefaultTag();
      Map<String, String> annotations =
          Map.of(
              ImportNames.IMAGE_NAME,
              reference.toString(),
              ImportNames.REF_NAME,
              reference.tag().orElse(""));
      entries.add(
          new Index.Entry(
              new Descriptor(manifest.mediaType(), manifest.digest(), manifest.size(), annotations),
              known));
    }
    return entries;
  }
}
