package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.registry.Registry;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** Brings damaged blobs again from where they came. Safe for many threads. */
final class BlobHealer {
  private static final Logger LOG = System.getLogger(BlobHealer.class.getName());
  private static final String ANY = "application/octet-stream";
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final int PIECE = 1 << 16;

  private final Parts parts;

  BlobHealer(Parts parts) {
    this.parts = parts;
  }

  /**
   * Looks at a blob, every byte of it, and heals it if need be.
   *
   * @return why it cannot be used; empty if it can
   */
  Optional<String> ensure(Digest digest) throws InterruptedException {
    Optional<StorageRecords.Blob> record = parts.records().blob(digest);
    List<TreeDamage> damages = new ArrayList<>();
    OptionalLong size =
        record.isPresent() ? OptionalLong.of(record.get().size()) : OptionalLong.empty();
    parts.blobs().check(digest, size, true, Pace.FULL, damages::add);
    if (damages.isEmpty()) {
      return Optional.empty();
    }
    if (record.isEmpty()) {
      return Optional.of("its blob " + digest + " is gone");
    }
    return heal(record.get(), damages).map(why -> "its blob " + digest + " is damaged and " + why);
  }

  /**
   * Heals a blob.
   *
   * @return why that is impossible; empty if it is done
   */
  Optional<String> heal(StorageRecords.Blob blob, List<TreeDamage> damages)
      throws InterruptedException {
    boolean bytes = false;
    for (TreeDamage damage : damages) {
      bytes |= damage.damage() != Damage.MODE && damage.damage() != Damage.OWNER;
    }
    try {
      if (!bytes) {
        parts.blobs().dress(blob.digest());
        return Optional.empty();
      }
      return fetch(blob);
    } catch (ContainerdException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private Optional<String> fetch(StorageRecords.Blob blob) throws InterruptedException {
    List<String> references = references(blob);
    if (references.isEmpty()) {
      return Optional.of("no registry is known to have it");
    }
    if (parts.registry().isEmpty()) {
      return Optional.of("fetching is switched off");
    }
    Set<String> reasons = new LinkedHashSet<>();
    for (String reference : references) {
      for (String type : types(blob)) {
        try {
          fetch(
              parts.registry().get(), reference, new Descriptor(type, blob.digest(), blob.size()));
          return Optional.empty();
        } catch (NotFoundException e) {
          reasons.add(String.valueOf(e.getMessage()));
        } catch (ContainerdException | IOException e) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
          reasons.add(String.valueOf(e.getMessage()));
          break;
        }
      }
    }
    return Optional.of("could not be fetched again: " + String.join("; ", reasons));
  }

  /** Registries tell manifests from blobs; where an image does not tell, both are tried. */
  private static List<String> types(StorageRecords.Blob blob) {
    return blob.mediaType().isEmpty() ? List.of(ANY, MANIFEST) : List.of(blob.mediaType());
  }

  /** Where the blob came from. Registries with a port come first: the label cannot name them. */
  private List<String> references(StorageRecords.Blob blob) {
    List<String> references = new ArrayList<>();
    for (Map.Entry<String, String> label : blob.labels().entrySet()) {
      if (label.getKey().startsWith(Labels.DISTRIBUTION_SOURCE)) {
        String host = label.getKey().substring(Labels.DISTRIBUTION_SOURCE.length());
        List<String> registries = new ArrayList<>(parts.records().registries(host));
        registries.add(host);
        for (String registry : registries) {
          for (String repository : label.getValue().split(",", -1)) {
            if (!repository.isEmpty()) {
              references.add(registry + "/" + repository + "@" + blob.digest());
            }
          }
        }
      }
    }
    return references;
  }

  private void fetch(Registry registry, String reference, Descriptor blob) throws IOException {
    String ref = "selfcheck/" + blob.digest();
    boolean done = false;
    try (InputStream in = registry.fetch(reference, blob, 0);
        Ingest ingest =
            parts.content().ingest(new IngestRequest(ref, blob.size(), Optional.empty()))) {
      ingest.truncate(0);
      byte[] piece = new byte[PIECE];
      int count = in.read(piece);
      while (count >= 0) {
        ingest.write(ByteBuffer.wrap(piece, 0, count));
        count = in.read(piece);
      }
      // Only now, and whatever is there: the commit must not take it for the blob.
      parts.blobs().setAside(blob.digest());
      ingest.commit(blob.size(), Optional.of(blob.digest()), Map.of());
      done = true;
    } finally {
      if (!done) {
        abort(ref);
      }
    }
    parts.blobs().deleteAside(blob.digest());
  }

  private void abort(String ref) {
    try {
      parts.content().abort(ref);
    } catch (NotFoundException _) {
      // It was never opened.
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "what was fetched of " + ref + " stays until the next start", e);
    }
  }
}
