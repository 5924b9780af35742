package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.oci.reference.Reference;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which names what was imported gets.
 *
 * <p>The archive as a whole gets the names that the request spells out, and those that its digest
 * completes. Each image in it gets, for each prefix of the request, the name that its annotations
 * tell: {@code io.containerd.image.name} is a whole name, {@code org.opencontainers.image.ref.name}
 * may be one or a mere tag, which is put behind the prefix. A whole name that does not begin with
 * the prefix counts only if the prefix may be overruled. What is no name of an image by the grammar
 * of references counts as none: nobody could ask for it, and it would be shown to people. Where
 * asked, a name of prefix and digest comes beside, or instead where there is none.
 */
final class ImportNames {
  static final String IMAGE_NAME = "io.containerd.image.name";
  static final String REF_NAME = "org.opencontainers.image.ref.name";

  private final ImageSelection destination;

  ImportNames(ImageSelection destination) {
    this.destination = destination;
  }

  /** The names of the index of the archive. */
  Set<String> ofArchive(Descriptor index) {
    return destination.namesOf(index.digest());
  }

  /** The names of one of its images. */
  Set<String> ofImage(Descriptor image) {
    Set<String> names = new LinkedHashSet<>();
    for (ExtraReference reference : destination.references()) {
      if (reference.isPrefix()) {
        String name = told(image.annotations(), reference);
        if (!name.isEmpty()) {
          names.add(name);
        }
        if (reference.addDigest() && (name.isEmpty() || !reference.skipNamedDigest())) {
          names.add(reference.name() + "@" + image.digest());
        }
      }
    }
    return names;
  }

  private static String told(Map<String, String> annotations, ExtraReference prefix) {
    String whole = annotations.getOrDefault(IMAGE_NAME, "");
    if (!whole.isEmpty()) {
      return under(prefix, whole).equals(whole) && isReference(whole) ? whole : "";
    }
    String ref = annotations.getOrDefault(REF_NAME, "");
    String name = ref.isEmpty() ? "" : under(prefix, ref);
    return isReference(name) ? name : "";
  }

  private static boolean isReference(String name) {
    try {
      Reference _ = Reference.parse(name);
      return true;
    } catch (InvalidArgumentException _) {
      return false;
    }
  }

  /** The name that a word stands for; empty if it is none under the prefix. */
  private static String under(ExtraReference prefix, String word) {
    boolean isWhole = word.chars().anyMatch(c -> c == '/' || c == ':' || c == '@');
    if (!isWhole) {
      return prefix.name().isEmpty() ? "" : prefix.name() + ":" + word;
    }
    return prefix.allowOverwrite() || begins(word, prefix.name()) ? word : "";
  }

  private static boolean begins(String name, String prefix) {
    return name.startsWith(prefix)
        && (name.length() == prefix.length() || "/:@".indexOf(name.charAt(prefix.length())) >= 0);
  }
}
