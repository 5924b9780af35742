package io.jcontainerd.transfer.archive;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/** Archives as tests need them, right or wrong. */
final class TestArchive {
  static final Platform AMD64 = new Platform("linux", "amd64", "");
  static final Platform ARM64 = new Platform("linux", "arm64", "");
  private static final String LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}";

  private final List<TarEntry> entries = new ArrayList<>();
  private final List<byte[]> bodies = new ArrayList<>();

  TestArchive file(String name, byte[] body) {
    return add(TarEntry.Type.REGULAR, name, "", body);
  }

  TestArchive file(String name, String body) {
    return file(name, body.getBytes(UTF_8));
  }

  TestArchive link(TarEntry.Type type, String name, String target) {
    return add(type, name, target, new byte[0]);
  }

  TestArchive add(TarEntry.Type type, String name, String link, byte[] body) {
    entries.add(tarEntry(type, name, link, body.length));
    bodies.add(body);
    return this;
  }

  private static TarEntry tarEntry(TarEntry.Type type, String name, String link, long size) {
    return new TarEntry(
        type,
        RawPath.of(name),
        RawPath.of(link),
        0644,
        0,
        0,
        size,
        Instant.EPOCH,
        Optional.empty(),
        0,
        0,
        Map.of(),
        Optional.empty());
  }

  TestArchive layout() {
    return file("oci-layout", LAYOUT);
  }

  TestArchive blob(byte[] body) {
    return file(path(Digest.sha256(body)), body);
  }

  static String path(Digest digest) {
    return "blobs/" + digest.algorithm() + "/" + digest.hex();
  }

  /** An image of one layer for a platform, with all its blobs, and where its manifest is. */
  Descriptor image(Platform platform, byte[] layer) {
    byte[] config = config(platform, layer);
    byte[] manifest =
        new Manifest(
                Descriptors.of(MediaTypes.CONFIG, config),
                List.of(Descriptors.of(MediaTypes.LAYER, layer)))
            .toBytes();
    blob(layer);
    blob(config);
    blob(manifest);
    return Descriptors.of(MediaTypes.MANIFEST, manifest);
  }

  static byte[] config(Platform platform, byte[]... layers) {
    var ids = new StringBuilder();
    for (byte[] layer : layers) {
      ids.append(ids.isEmpty() ? "" : ",").append('"').append(Digest.sha256(layer)).append('"');
    }
    return """
        {"architecture":"%s","os":"%s","rootfs":{"type":"layers","diff_ids":[%s]}}"""
        .formatted(platform.architecture(), platform.os(), ids)
        .getBytes(UTF_8);
  }

  /**
   * Indexes, each listing the next many times, the last of them the image: many ways to one image.
   *
   * @param platform what the ways are told to be for
   * @param beside is listed by each, too
   */
  Descriptor maze(int depth, Optional<Platform> platform, Descriptor image, Index.Entry... beside) {
    Descriptor next = image;
    for (int level = 0; level < depth; level++) {
      List<Index.Entry> entries = new ArrayList<>(List.of(beside));
      for (int way = 0; way < 8; way++) {
        entries.add(new Index.Entry(entry(next, Map.of("way", "" + way)).descriptor(), platform));
      }
      byte[] index = new Index(entries).toBytes();
      blob(index);
      next = Descriptors.of(MediaTypes.INDEX, index);
    }
    return next;
  }

  /** Manifests that share all that they consist of. */
  List<Index.Entry> manifests(int count) {
    byte[] layer = layer("shared");
    byte[] config = config(AMD64, layer);
    blob(layer).blob(config);
    List<Index.Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] manifest =
          new Manifest(
                  MediaTypes.MANIFEST,
                  Descriptors.of(MediaTypes.CONFIG, config),
                  List.of(Descriptors.of(MediaTypes.LAYER, layer)),
                  Map.of("number", "" + i))
              .toBytes();
      blob(manifest);
      entries.add(
          new Index.Entry(Descriptors.of(MediaTypes.MANIFEST, manifest), Optional.of(AMD64)));
    }
    return entries;
  }

  TestArchive index(Index.Entry... entries) {
    return file("index.json", new Index(List.of(entries)).toBytes());
  }

  /** An index of one image. */
  static byte[] oneIndex(Descriptor image, Map<String, String> annotations) {
    return new Index(List.of(entry(image, annotations))).toBytes();
  }

  static Index.Entry named(Descriptor image, String name) {
    return entry(image, Map.of("io.containerd.image.name", name));
  }

  static Index.Entry entry(Descriptor image, Map<String, String> annotations) {
    return new Index.Entry(
        new Descriptor(image.mediaType(), image.digest(), image.size(), annotations),
        Optional.empty());
  }

  byte[] bytes() {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarWriter(bytes)) {
      for (int i = 0; i < entries.size(); i++) {
        tar.entry(entries.get(i));
        tar.body(bodies.get(i), 0, bodies.get(i).length);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** What stands before the bytes of a file. */
  static byte[] header(String name, long size) throws IOException {
    var bytes = new ByteArrayOutputStream();
    new TarWriter(bytes).entry(tarEntry(TarEntry.Type.REGULAR, name, "", size));
    return bytes.toByteArray();
  }

  /** A layer: a tar archive of one file. */
  static byte[] layer(String text) {
    return new TestArchive().file("hello", text).bytes();
  }

  static byte[] gzip(byte[] plain) {
    var bytes = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
