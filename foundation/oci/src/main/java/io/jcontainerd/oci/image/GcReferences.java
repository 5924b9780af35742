package io.jcontainerd.oci.image;

import io.jcontainerd.core.Descriptor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The labels that keep the parts of an image from the garbage collector, in containerd's words:
 * given to the blob of a document, they refer to what the document lists.
 */
public final class GcReferences {
  private static final String CONTENT = "containerd.io/gc.ref.content.";
  private static final String SNAPSHOT = "containerd.io/gc.ref.snapshot.";

  private GcReferences() {}

  /** References to all parts of a document. */
  public static Map<String, String> of(ImageDocument document) {
    return of(document, _ -> true);
  }

  /**
   * References to some parts of a document.
   *
   * @param kept which
   */
  public static Map<String, String> of(ImageDocument document, Predicate<Descriptor> kept) {
    Map<String, String> labels = new LinkedHashMap<>();
    switch (document) {
      case Manifest manifest -> {
        add(labels, "config", manifest.config(), kept);
        List<Descriptor> layers = manifest.layers();
        for (int i = 0; i < layers.size(); i++) {
          add(labels, "l." + i, layers.get(i), kept);
        }
      }
      case Index index -> {
        List<Index.Entry> entries = index.manifests();
        for (int i = 0; i < entries.size(); i++) {
          Descriptor entry = entries.get(i).descriptor();
          String type = entry.mediaType();
          boolean isDocument = MediaTypes.isManifest(type) || MediaTypes.isIndex(type);
          add(labels, (isDocument ? "m." : "") + i, entry, kept);
        }
      }
    }
    return labels;
  }

  /**
   * The reference of a config to the snapshot that its layers were unpacked to.
   *
   * @param snapshotter by name
   * @param name of the snapshot
   */
  public static Map<String, String> toSnapshot(String snapshotter, String name) {
    return Map.of(SNAPSHOT + snapshotter, name);
  }

  private static void add(
      Map<String, String> labels, String key, Descriptor part, Predicate<Descriptor> kept) {
    if (kept.test(part)) {
      labels.put(CONTENT + key, part.digest().toString());
    }
  }
}
