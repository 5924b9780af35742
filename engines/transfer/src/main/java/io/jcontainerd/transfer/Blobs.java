package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.transfer.flow.Flights;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Blobs that have to be here. Whoever wants the same blob at the same time, in whatever namespace,
 * shares one download; the namespaces that did not begin it take the blob over when it is there.
 */
final class Blobs {
  /** A blob is brought once for all namespaces, unless one may not see what others have. */
  private record Key(String namespace, Digest digest) {}

  private final ContentStore content;
  private final Documents documents;
  private final Keeper keeper;
  private final BlobFetch fetch;
  private final OperationRegistry operations;
  private final Flights<Key, Word> flights = new Flights<>();

  /**
   * @param operations where blobs that come are listed
   */
  Blobs(TransferParts parts, BlobFetch fetch, OperationRegistry operations) {
    this.operations = operations;
    this.content = parts.content();
    this.documents = new Documents(content);
    this.keeper = new Keeper(parts.leases());
    this.fetch = fetch;
  }

  /** The blob, if it is on its way into an ingest of the call's namespace. */
  Optional<Comings.Coming> coming(Descriptor blob) {
    return fetch.coming(blob);
  }

  /** Somebody's interest in a blob that may be on its way. */
  interface Interest extends AutoCloseable {
    @Override
    void close();
  }

  /** Lets a blob come, if it is not here, for as long as the interest is there. */
  Interest begin(Session session, Descriptor blob, long priority) {
    keeper.content(blob.digest());
    if (documents.has(blob.digest())) {
      return () -> {};
    }
    return seat(session, blob, priority, "", _ -> {})::close;
  }

  /** Makes sure that the blob is here, and that its labels say where it came from, if from afar. */
  void ensure(Session session, Descriptor blob, long priority, Consumer<Word> listener)
      throws InterruptedException {
    keeper.content(blob.digest());
    boolean there = documents.has(blob.digest());
    if (!there) {
      bring(session, blob, priority, listener);
    }
    if (session.isRemote()) {
      documents.label(blob.digest(), source(session.reference(), blob.digest()));
    }
    listener.accept(new Word(there ? Event.ALREADY_EXISTS : Event.COMPLETE, blob.size()));
  }

  private void bring(Session session, Descriptor blob, long priority, Consumer<Word> listener)
      throws InterruptedException {
    String namespace = ""; // of the flight
    while (true) {
      try (var seat = seat(session, blob, priority, namespace, listener)) {
        seat.await();
      }
      if (documents.has(blob.digest()) || adopted(blob)) {
        return;
      }
      if (!namespace.isEmpty()) {
        throw new NotFoundException("content " + blob.digest() + " was removed as it came");
      }
      namespace = Call.currentNamespace();
    }
  }

  private Flights<Key, Word>.Seat seat(
      Session session, Descriptor blob, long priority, String namespace, Consumer<Word> listener) {
    return flights.join(
        new Key(namespace, blob.digest()),
        session,
        listener,
        () -> session.holding(tell -> fetch(session, blob, priority, tell)));
  }

  private void fetch(Session session, Descriptor blob, long priority, Consumer<Word> tell)
      throws InterruptedException {
    RunningOperation operation =
        operations.begin("fetch", Call.currentNamespace(), blob.digest().toString());
    try (operation) {
      Boolean _ =
          operation.call(
              () -> {
                fetch.fetch(session, blob, priority, tell);
                return true;
              });
    } catch (RuntimeException | InterruptedException | Error e) {
      operation.failed(e);
      throw e;
    }
  }

  /** Takes over what another namespace has; false if that may not be seen. */
  private boolean adopted(Descriptor blob) {
    try (Ingest ingest =
        content.ingest(
            new IngestRequest(ContentNames.of(blob), blob.size(), Optional.of(blob.digest())))) {
      if (ingest.status().offset() != blob.size()) {
        return false;
      }
      ingest.commit(blob.size(), Optional.of(blob.digest()), Map.of());
      return true;
    } catch (AlreadyExistsException _) {
      return true;
    } catch (UnavailableException _) {
      return false; // somebody is writing it here
    }
  }

  private Map<String, String> source(String image, Digest digest) {
    Reference reference = Reference.parse(image);
    String label = Labels.DISTRIBUTION_SOURCE + reference.domain();
    String before = content.info(digest).labels().getOrDefault(label, "");
    LinkedHashSet<String> repositories = new LinkedHashSet<>(List.of(before.split(",", -1)));
    repositories.remove("");
    if (!repositories.add(reference.path())) {
      return Map.of();
    }
    // a blob that very many images share forgets those that it came from first
    while (label.length() + String.join(",", repositories).length() > Labels.MAX_BYTES) {
      repositories.removeFirst();
    }
    return Map.of(label, String.join(",", repositories));
  }
}
