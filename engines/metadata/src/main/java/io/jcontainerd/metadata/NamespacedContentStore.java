package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.store.Store;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Blobs of a backend as each namespace sees them, with labels, leases and events. */
final class NamespacedContentStore implements ContentStore {
  /** How long an ingest without a lease is kept. */
  static final Duration INGEST_KEPT = Duration.ofHours(24);

  private static final int TRIES = 5;

  private final Database database;
  private final ContentStore backend;
  private final Guards guards;
  private final boolean isolated;
  private final Runnable orphansPossible;
  private final Runnable makeDurable;

  /** Refs with an open ingest and when it was opened; a ref is told apart by its namespace. */
  private final ConcurrentHashMap<Ref, Instant> open = new ConcurrentHashMap<>();

  /** An ingest's name. */
  record Ref(String namespace, String ref) {}

  /**
   * @param isolated whether namespaces share blobs only if told to
   * @param orphansPossible says that something may be in the backend and in no table
   * @param makeDurable returns once all layers that were committed survive a power cut
   */
  NamespacedContentStore(
      Database database,
      ContentStore backend,
      Guards guards,
      boolean isolated,
      Runnable orphansPossible,
      Runnable makeDurable) {
    this.database = database;
    this.backend = backend;
    this.guards = guards;
    this.isolated = isolated;
    this.orphansPossible = orphansPossible;
    this.makeDurable = makeDurable;
  }

  // ---- blobs ----

  @Override
  public Optional<ContentInfo> find(Digest digest) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> BlobRows.find(tx, namespace, digest));
  }

  private static NotFoundException notFound(Digest digest) {
    return new NotFoundException("content " + digest);
  }

  @Override
  public ContentInfo update(ContentInfo info, FieldMask mask) {
    String namespace = Call.currentNamespace();
    if (info.labels().keySet().stream().anyMatch(GcLabels::refersToSnapshot)) {
      makeDurable.run(); // a client says that it has unpacked an image
    }
    Instant now = database.time().now();
    return database.write(
        tx -> {
          ContentInfo old =
              BlobRows.find(tx, namespace, info.digest())
                  .orElseThrow(() -> notFound(info.digest()));
          Map<String, String> labels =
              Masks.labels(mask, "content info", old.labels(), info.labels());
          BlobRows.label(tx, namespace, old.digest(), labels, now);
          return new ContentInfo(old.digest(), old.size(), old.createdAt(), now, labels);
        });
  }

  @Override
  public void walk(Filter filter, Consumer<ContentInfo> each) {
    Narrowing narrowing =
        Narrowing.of(filter, Map.of(List.of("digest"), "digest"), Map.of("labels", "labels"));
    String namespace = Call.currentNamespace();
    database.read(tx -> BlobRows.all(tx, namespace, narrowing)).stream()
        .filter(info -> filter.matches(fields(info)))
        .forEach(each);
  }

  private static Fields fields(ContentInfo info) {
    return path ->
        switch (path.getFirst()) {
          case "digest" -> Optional.of(info.digest().toString());
          case "labels" -> Fields.entry(info.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public void delete(Digest digest) {
    Call call = Call.current();
    String namespace = call.namespace();
    long now = database.now();
    database.delete(
        tx -> {
          if (!BlobRows.remove(tx, namespace, digest)) {
            throw notFound(digest);
          }
          StoredLeases.detach(tx, namespace, call.lease(), StoredLeases.CONTENT, digest.toString());
          Condemned.content(tx, digest.toString());
          new Notices(tx, now, namespace).contentDeleted(digest);
          return true;
        });
  }

  @Override
  public ContentReader reader(Digest digest) {
    if (find(digest).isEmpty()) {
      throw notFound(digest);
    }
    try {
      return backend.reader(digest);
    } catch (NotFoundException e) {
      throw new NotFoundException(
          "content " + digest + " is lost or was set aside as damaged: pull its image again", e);
    }
  }

  // ---- ingests ----

  @Override
  public Ingest ingest(IngestRequest request) {
    Call call = Call.current();
    Ref ref = new Ref(call.namespace(), request.ref());
    request.expected().ifPresent(digest -> refuseExisting(call, digest));
    lock(ref);
    Ingest opened = null;
    try {
      String backendRef = record(call, request);
      opened = openOrShare(call, request, ref, backendRef);
      return opened;
    } finally {
      if (opened == null) {
        open.remove(ref);
      }
    }
  }

  /** Refuses an expected blob that is there; the lease gets it all the same. */
  private void refuseExisting(Call call, Digest digest) {
    if (database.read(tx -> BlobRows.find(tx, call.namespace(), digest)).isEmpty()
        || backend.find(digest).isEmpty()) {
      return; // one that was lost, or set aside as damaged, is welcome again
    }
    boolean there =
        call.lease().isEmpty()
            || database.write(
                tx -> {
                  boolean still = BlobRows.find(tx, call.namespace(), digest).isPresent();
                  if (still) {
                    StoredLeases.attach(
                        tx,
                        call.namespace(),
                        call.lease(),
                        StoredLeases.CONTENT,
                        digest.toString());
                  }
                  return still;
                });
    if (there) {
      throw new AlreadyExistsException("content " + digest);
    }
  }

  private void lock(Ref ref) {
    Instant now = database.time().now();
    Instant since = open.putIfAbsent(ref, now);
    if (since != null) {
      throw new UnavailableException(
          "ref %s locked for %s (since %s)"
              .formatted(ref.ref(), seconds(Duration.between(since, now)), since));
    }
  }

  private static String seconds(Duration duration) {
    return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString() + "s";
  }

  void unlock(Ref ref) {
    open.remove(ref);
  }

  /** Makes or finds the ingest's row; returns its name in the backend. */
  private String record(Call call, IngestRequest request) {
    String namespace = call.namespace();
    String fresh = namespace + "/" + database.nextNumber() + "/" + request.ref();
    @Nullable Instant expires =
        call.lease().isPresent() ? null : database.time().now().plus(INGEST_KEPT);
    return database.write(
        tx -> {
          StoredLeases.attach(tx, namespace, call.lease(), StoredLeases.INGESTS, request.ref());
          return IngestRows.keep(tx, namespace, request.ref(), fresh, request.expected(), expires);
        });
  }

  private Ingest openOrShare(Call call, IngestRequest request, Ref ref, String backendRef) {
    @Nullable AlreadyExistsException last = null;
    for (int i = 0; i < TRIES; i++) {
      boolean inBackend = false;
      if (request.expected().isPresent()) {
        Digest digest = request.expected().get();
        Guards.Hold hold = guards.hold(Guards.content(digest.toString()));
        boolean kept = false;
        try {
          Optional<ContentInfo> there = backend.find(digest);
          inBackend = there.isPresent();
          if (there.isPresent() && mayShare(digest)) {
            kept = true;
            return new NamespacedIngest(this, call, request, ref, backendRef, hold, there.get());
          }
        } finally {
          if (!kept) {
            hold.close();
          }
        }
      }
      try {
        return new NamespacedIngest(
            this, call, request, ref, backendRef, openBackend(request, backendRef, inBackend));
      } catch (AlreadyExistsException e) {
        last = e; // it came into the backend just now: look again
      }
    }
    UnavailableException failure =
        new UnavailableException("ingest ref " + request.ref() + ": its blob comes and goes");
    if (last != null) {
      failure.addSuppressed(last);
    }
    throw failure;
  }

  /**
   * Opens the ingest in the backend.
   *
   * @param unsaid whether the backend must not be told the digest, since it would refuse what this
   *     namespace may not see
   */
  Ingest openBackend(IngestRequest request, String backendRef, boolean unsaid) {
    return backend.ingest(
        new IngestRequest(
            backendRef, request.total(), unsaid ? Optional.empty() : request.expected()));
  }

  private boolean mayShare(Digest digest) {
    if (!isolated) {
      return true;
    }
    return database.read(
        tx ->
            tx
                .all(
                    "SELECT namespaces.labels FROM blobs JOIN namespaces"
                        + " ON namespaces.name = blobs.namespace WHERE blobs.digest = ?",
                    row -> LabelText.read(row.text(0)),
                    digest.toString())
                .stream()
                .anyMatch(labels -> "true".equals(labels.get(Labels.SHAREABLE))));
  }

  ContentStore backend() {
    return backend;
  }

  Guards guards() {
    return guards;
  }

  /**
   * Refuses, before the backend is asked, what could not be recorded after: an unknown lease, and
   * an ingest that was aborted or collected. If the blob that it was to become is there, that is
   * why it was aborted.
   */
  void checkRecorded(Call call, Ref ref, String backendRef, Optional<Digest> expected) {
    boolean there =
        database.read(
            tx -> {
              StoredLeases.check(tx, ref.namespace(), call.lease());
              return IngestRows.find(tx, ref.namespace(), ref.ref())
                  .filter(row -> row.backendRef().equals(backendRef))
                  .isPresent();
            });
    if (!there) {
      orphansPossible.run(); // its bytes may have come back after the row went
      expected.ifPresent(digest -> refuseExisting(call, digest));
      throw noIngest(ref.ref());
    }
  }

  /**
   * Makes a blob of the backend one of the namespace and ends the ingest. The caller holds the
   * blob.
   *
   * @return whether the namespace had it before
   */
  boolean finish(
      Call call,
      String ref,
      String backendRef,
      Digest digest,
      long size,
      Map<String, String> labels) {
    String namespace = call.namespace();
    long now = database.now();
    Store.Write<Boolean> recording =
        tx -> {
          boolean existed = BlobRows.find(tx, namespace, digest).isPresent();
          Database.ensureNamespace(tx, namespace);
          StoredLeases.attach(tx, namespace, call.lease(), StoredLeases.CONTENT, digest.toString());
          StoredLeases.detach(tx, namespace, call.lease(), StoredLeases.INGESTS, ref);
          int _ = IngestRows.remove(tx, namespace, ref, backendRef);
          if (!existed) {
            BlobRows.insert(tx, namespace, digest, size, labels, now);
            new Notices(tx, now, namespace).contentCreated(digest, size);
          }
          return existed;
        };
    boolean recorded = false;
    try {
      boolean existed = recorded(recording);
      recorded = true;
      return existed;
    } finally {
      if (!recorded) {
        orphansPossible.run(); // the blob is in the backend and in no table
      }
    }
  }

  /** The bytes are there: neither a cancel nor a full disk may waste them now. */
  private boolean recorded(Store.Write<Boolean> recording) {
    try {
      return database.write(recording);
    } catch (CancelledException | ResourceExhaustedException e) {
      AtomicBoolean existed = new AtomicBoolean();
      try {
        CleanUp.run(() -> existed.set(database.complete(recording)));
      } catch (ContainerdException second) {
        e.addSuppressed(second);
        throw e;
      }
      return existed.get();
    }
  }

  private static NotFoundException noIngest(String ref) {
    return new NotFoundException("ingest ref " + ref);
  }

  @Override
  public IngestStatus status(String ref) {
    String namespace = Call.currentNamespace();
    IngestRows.Known row =
        database.read(tx -> IngestRows.find(tx, namespace, ref)).orElseThrow(() -> noIngest(ref));
    try {
      return renamed(backend.status(row.backendRef()), ref, row.expected());
    } catch (NotFoundException e) {
      throw new NotFoundException("ingest ref " + ref, e);
    }
  }

  @Override
  public Optional<ContentReader> ingestReader(String ref) {
    String namespace = Call.currentNamespace();
    return database
        .read(tx -> IngestRows.find(tx, namespace, ref))
        .flatMap(row -> backend.ingestReader(row.backendRef()));
  }

  static IngestStatus renamed(IngestStatus status, String ref, Optional<Digest> expected) {
    return new IngestStatus(
        ref,
        status.offset(),
        status.total(),
        status.expected().or(() -> expected),
        status.startedAt(),
        status.updatedAt());
  }

  @Override
  public List<IngestStatus> statuses(Filter filter) {
    String namespace = Call.currentNamespace();
    Map<String, IngestStatus> backends = new HashMap<>();
    backend.statuses(Filter.ALL).forEach(status -> backends.put(status.ref(), status));
    List<IngestStatus> found = new ArrayList<>();
    for (IngestRows.Known row : database.read(tx -> IngestRows.all(tx, namespace))) {
      IngestStatus status = backends.get(row.backendRef());
      if (status != null) {
        found.add(renamed(status, row.ref(), row.expected()));
      }
    }
    return found.stream().filter(status -> filter.matches(fields(status))).toList();
  }

  private static Fields fields(IngestStatus status) {
    return path -> path.getFirst().equals("ref") ? Optional.of(status.ref()) : Optional.empty();
  }

  @Override
  public void abort(String ref) {
    Call call = Call.current();
    String namespace = call.namespace();
    IngestRows.Known row =
        database.read(tx -> IngestRows.find(tx, namespace, ref)).orElseThrow(() -> noIngest(ref));
    try {
      backend.abort(row.backendRef());
    } catch (NotFoundException e) {
      // A killed daemon, or a blob that was taken over without bytes, leaves a row alone.
    }
    database.delete(
        tx -> {
          StoredLeases.detach(tx, namespace, call.lease(), StoredLeases.INGESTS, ref);
          return IngestRows.remove(tx, namespace, ref, row.backendRef());
        });
  }
}
