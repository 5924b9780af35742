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
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.registry.Registry;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Brings damaged blobs again from where they came, one try at a time for each: whoever wants the
 * same joins it. A blob is only ever set aside when it was seen damaged just before. Safe for many
 * threads.
 */
final class BlobHealer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(BlobHealer.class.getName());
  private static final String ANY = "application/octet-stream";
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final int PIECE = 1 << 16;
  private static final Duration LONGEST = Duration.ofMinutes(30);

  private final Parts parts;
  private final Joined<Digest, Optional<String>> running;

  BlobHealer(Parts parts) {
    this.parts = parts;
    this.running = new Joined<>("heal blob", parts.time(), LONGEST);
  }

  /**
   * Looks at a blob, every byte of it, and fetches it again if need be. Who may read it is no
   * matter here.
   *
   * @return why it cannot be used; empty if it can
   */
  Optional<String> ensure(Digest digest) throws InterruptedException {
    Optional<StorageRecords.Blob> record = parts.records().blob(digest);
    OptionalLong size =
        record.isPresent() ? OptionalLong.of(record.get().size()) : OptionalLong.empty();
    List<TreeDamage> damages = look(digest, size);
    if (!bytesAreWrong(damages)) {
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
    try {
      if (!bytesAreWrong(damages)) {
        parts.blobs().dress(blob.digest());
        return Optional.empty();
      }
      return running.run(blob.digest(), () -> fetch(blob));
    } catch (ContainerdException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** Whether there is more to it than who may read it. */
  private static boolean bytesAreWrong(List<TreeDamage> damages) {
    return damages.stream()
        .anyMatch(one -> one.damage() != Damage.MODE && one.damage() != Damage.OWNER);
  }

  private List<TreeDamage> look(Digest digest, OptionalLong size) throws InterruptedException {
    List<TreeDamage> damages = new ArrayList<>();
    parts.blobs().check(digest, size, true, Pace.FULL, damages::add);
    return damages;
  }

  /**
   * Keeps a blob from being served, if it is still damaged: somebody may have healed it.
   *
   * @return whether it was set aside
   */
  boolean setAside(StorageRecords.Blob blob) throws InterruptedException {
    List<TreeDamage> damages = look(blob.digest(), OptionalLong.of(blob.size()));
    boolean wrong = bytesAreWrong(damages) && damages.getFirst().damage() != Damage.MISSING;
    if (wrong) {
      parts.blobs().setAside(blob.digest());
    }
    return wrong;
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
          fetch(parts.registry().get(), reference, type, blob);
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

  private void fetch(Registry registry, String reference, String type, StorageRecords.Blob blob)
      throws IOException, InterruptedException {
    String ref = "selfcheck/" + blob.digest();
    try (StorageRecords.Hold _ = parts.records().holding(blob.digest(), ref);
        InputStream in =
            registry.fetch(reference, new Descriptor(type, blob.digest(), blob.size()), 0);
        Ingest ingest =
            parts.content().ingest(new IngestRequest(ref, blob.size(), Optional.empty()))) {
      boolean done = false;
      try {
        write(in, ingest, blob.digest());
        done = replace(ingest, blob);
      } finally {
        if (!done) {
          abort(ref);
        }
      }
    }
    parts.blobs().deleteAside(blob.digest());
  }

  /** Writes what comes, and proves that it is the blob. */
  private static void write(InputStream in, Ingest ingest, Digest digest) throws IOException {
    ingest.truncate(0);
    MessageDigest hasher = Digest.hasher(digest.algorithm());
    byte[] piece = new byte[PIECE];
    int count = in.read(piece);
    while (count >= 0) {
      hasher.update(piece, 0, count);
      ingest.write(ByteBuffer.wrap(piece, 0, count));
      count = in.read(piece);
    }
    Digest got = Digest.of(digest.algorithm(), hasher.digest());
    if (!got.equals(digest)) {
      throw new DataLossException("content " + digest + ": what was fetched is " + got);
    }
  }

  /**
   * Puts the new blob in the place of the old one. If that fails, the old one is where it was.
   *
   * @return whether the ingest has ended; else it is not needed
   */
  private boolean replace(Ingest ingest, StorageRecords.Blob blob) throws InterruptedException {
    Digest digest = blob.digest();
    if (!bytesAreWrong(look(digest, OptionalLong.of(blob.size())))) {
      return false; // whoever brought it meanwhile proved it as well
    }
    boolean done = false;
    // Whatever is there: the commit must not take it for the blob.
    parts.blobs().setAside(digest);
    try {
      ingest.commit(blob.size(), Optional.of(digest), Map.of());
      done = true;
    } catch (AlreadyExistsException e) {
      LOG.log(Level.DEBUG, "somebody else brought it at the same moment", e);
      done = true;
    } finally {
      if (!done) {
        parts.blobs().putBack(digest);
      }
    }
    return true;
  }

  private void abort(String ref) {
    try {
      parts.content().abort(ref);
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "what was fetched of " + ref + " stays until the next start", e);
    }
  }

  /** Gives up what is under way. */
  @Override
  public void close() {
    running.close();
  }
}
