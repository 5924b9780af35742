package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.gc.GarbageCollector;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Images in the store. */
final class StoredImages implements ImageStore {
  private static final String SELECT =
      "SELECT name, media_type, digest, size, annotations, labels, created_at, updated_at"
          + " FROM images WHERE namespace = ?";

  private static final Map<List<String>, String> COLUMNS =
      Map.of(
          List.of("name"), "name",
          List.of("target", "digest"), "digest",
          List.of("target", "mediatype"), "media_type");
  private static final Map<String, String> TEXTS =
      Map.of("labels", "labels", "annotations", "annotations");

  private final Database database;
  private final GarbageCollector collector;
  private final Runnable makeDurable;

  /**
   * @param makeDurable returns once all layers that were committed survive a power cut
   */
  StoredImages(Database database, GarbageCollector collector, Runnable makeDurable) {
    this.database = database;
    this.collector = collector;
    this.makeDurable = makeDurable;
  }

  @Override
  public Image get(String name) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> get(tx, namespace, name));
  }

  private static Image get(ReadTransaction tx, String namespace, String name) {
    return tx.first(SELECT + " AND name = ?", StoredImages::image, namespace, name)
        .orElseThrow(() -> new NotFoundException("image \"" + name + "\""));
  }

  private static Image image(Row row) {
    return new Image(
        row.text(0),
        new Descriptor(
            row.text(1), Digest.parse(row.text(2)), row.number(3), LabelText.read(row.text(4))),
        LabelText.read(row.text(5)),
        Times.instant(row.number(6)),
        Times.instant(row.number(7)));
  }

  @Override
  public List<Image> list(Filter filter) {
    Narrowing narrowing = Narrowing.of(filter, COLUMNS, TEXTS);
    String sql = SELECT + narrowing.condition() + " ORDER BY name";
    Object[] arguments = narrowing.after(Call.currentNamespace());
    return database.read(tx -> tx.all(sql, StoredImages::image, arguments)).stream()
        .filter(image -> filter.matches(fields(image)))
        .toList();
  }

  private static Fields fields(Image image) {
    return path ->
        switch (path.getFirst()) {
          case "name" -> Fields.nonEmpty(image.name());
          case "target" ->
              switch (path.size() > 1 ? path.get(1) : "") {
                case "digest" -> Optional.of(image.target().digest().toString());
                case "mediatype" -> Fields.nonEmpty(image.target().mediaType());
                default -> Optional.empty();
              };
          case "labels" -> Fields.entry(image.labels(), path);
          case "annotations" -> Fields.entry(image.target().annotations(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public Image create(Image image, Optional<Instant> sourceDateEpoch) {
    Call call = Call.current();
    String namespace = call.namespace();
    check(image);
    Instant now = database.time().now();
    Instant stamp = sourceDateEpoch.orElse(now);
    Image stored = stored(image.name(), image.target(), image.labels(), stamp, stamp);
    boolean _ = database.read(tx -> requireNew(tx, namespace, image.name()));
    makeDurable.run();
    return database.write(
        tx -> {
          boolean _ = requireNew(tx, namespace, image.name());
          Database.ensureNamespace(tx, namespace);
          lease(tx, namespace, call, stored);
          store(tx, namespace, stored);
          new Notices(tx, Times.nanos(now), namespace).imageCreated(stored);
          return stored;
        });
  }

  private static boolean requireNew(ReadTransaction tx, String namespace, String name) {
    if (tx.exists("SELECT 1 FROM images WHERE namespace = ? AND name = ?", namespace, name)) {
      throw new AlreadyExistsException("image \"" + name + "\"");
    }
    return true;
  }

  private static void check(Image image) {
    if (image.name().isEmpty()) {
      throw new InvalidArgumentException("image name must not be empty");
    }
    if (image.target().mediaType().isEmpty()) {
      throw new InvalidArgumentException(
          "image \"" + image.name() + "\": target media type must not be empty");
    }
    if (image.target().size() <= 0) {
      throw new InvalidArgumentException(
          "image \"" + image.name() + "\": target size must be greater than zero");
    }
    Labels.check(image.labels());
  }

  /** Only an image that expires needs a lease; every other one is a root by itself. */
  private static void lease(WriteTransaction tx, String namespace, Call call, Image image) {
    if (image.labels().containsKey(GcLabels.EXPIRE)) {
      StoredLeases.attach(tx, namespace, call.lease(), StoredLeases.IMAGES, image.name());
    }
  }

  private static void store(WriteTransaction tx, String namespace, Image image) {
    tx.update(
        "INSERT INTO images(namespace, name, media_type, digest, size, annotations, labels,"
            + " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            + " ON CONFLICT(namespace, name) DO UPDATE SET media_type = excluded.media_type,"
            + " digest = excluded.digest, size = excluded.size,"
            + " annotations = excluded.annotations, labels = excluded.labels,"
            + " updated_at = excluded.updated_at",
        namespace,
        image.name(),
        image.target().mediaType(),
        image.target().digest().toString(),
        image.target().size(),
        LabelText.write(image.target().annotations()),
        LabelText.write(image.labels()),
        Times.nanos(image.createdAt()),
        Times.nanos(image.updatedAt()));
  }

  @Override
  public Image update(Image image, FieldMask mask, Optional<Instant> sourceDateEpoch) {
    Call call = Call.current();
    String namespace = call.namespace();
    Instant now = database.time().now();
    if (image.name().isEmpty()) {
      throw new InvalidArgumentException("image name must not be empty");
    }
    boolean refers = mayRefer(mask);
    if (refers) {
      Image before = database.read(tx -> get(tx, namespace, image.name()));
      Image intended = patched(before, image, mask, sourceDateEpoch.orElse(now));
      check(intended);
      if (reliesOnMore(before, intended)) {
        makeDurable.run();
      }
    }
    Store.Write<Image> change =
        tx -> {
          Image updated =
              patched(get(tx, namespace, image.name()), image, mask, sourceDateEpoch.orElse(now));
          check(updated);
          lease(tx, namespace, call, updated);
          store(tx, namespace, updated);
          new Notices(tx, Times.nanos(now), namespace).imageUpdated(updated);
          return updated;
        };
    // It may take away the last reference to what the image named, or not.
    return refers ? database.replace(change) : database.write(change);
  }

  /** Whether an update has to do with what the image keeps; most only change a word for people. */
  private static boolean mayRefer(FieldMask mask) {
    return mask.isAll() || mask.paths().stream().anyMatch(StoredImages::mayRefer);
  }

  private static boolean mayRefer(String path) {
    return !path.startsWith("labels.") || path.startsWith("labels." + GcLabels.PREFIX);
  }

  /** Whether the update lets the image name other layers than before. */
  private static boolean reliesOnMore(Image before, Image intended) {
    return !intended.target().digest().equals(before.target().digest())
        || intended.labels().entrySet().stream()
            .anyMatch(
                label ->
                    GcLabels.refersToSnapshot(label.getKey())
                        && !label.getValue().equals(before.labels().get(label.getKey())));
  }

  private static Image patched(Image old, Image image, FieldMask mask, Instant updatedAt) {
    Map<String, String> labels = mask.isAll() ? image.labels() : old.labels();
    Descriptor target = mask.isAll() ? image.target() : old.target();
    for (String path : mask.paths()) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, image.labels());
      } else if (path.equals("target")) {
        target = image.target();
      } else if (FieldMask.selects(path, "annotations")) {
        target =
            new Descriptor(
                target.mediaType(),
                target.digest(),
                target.size(),
                FieldMask.patch(
                    path, "annotations", target.annotations(), image.target().annotations()));
      } else {
        throw FieldMask.refused(path, "image");
      }
    }
    return stored(old.name(), target, labels, old.createdAt(), updatedAt);
  }

  private static Image stored(
      String name,
      Descriptor target,
      Map<String, String> labels,
      Instant createdAt,
      Instant updatedAt) {
    var kept =
        new Descriptor(
            target.mediaType(),
            target.digest(),
            target.size(),
            Labels.stored(target.annotations()));
    return new Image(name, kept, Labels.stored(labels), createdAt, updatedAt);
  }

  @Override
  public void delete(String name, Optional<Digest> target, boolean sync) {
    Call call = Call.current();
    String namespace = call.namespace();
    long now = database.now();
    database.delete(
        tx -> {
          Image image = get(tx, namespace, name);
          if (target.isPresent() && !target.get().equals(image.target().digest())) {
            throw new NotFoundException("image \"" + name + "\" with target " + target.get());
          }
          tx.update("DELETE FROM images WHERE namespace = ? AND name = ?", namespace, name);
          StoredLeases.detach(tx, namespace, call.lease(), StoredLeases.IMAGES, name);
          new Notices(tx, now, namespace).imageDeleted(name);
          return true;
        });
    if (sync) {
      collector.collect();
    }
  }
}
