package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.gc.GarbageCollector;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoField;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Leases in the store. */
final class StoredLeases implements LeaseStore {
  static final String CONTENT = "content";
  static final String INGESTS = "ingests";
  static final String IMAGES = "images";
  private static final String SNAPSHOTS = "snapshots/";

  private final Database database;
  private final GarbageCollector collector;
  private final SecureRandom random = new SecureRandom();

  StoredLeases(Database database, GarbageCollector collector) {
    this.database = database;
    this.collector = collector;
  }

  static String snapshots(String snapshotter) {
    return SNAPSHOTS + snapshotter;
  }

  /**
   * Adds a resource to the lease of a call, if it has one.
   *
   * @throws NotFoundException if there is no such lease
   */
  static void attach(
      WriteTransaction tx, String namespace, Optional<String> lease, String type, String id) {
    lease.ifPresent(
        name -> {
          check(tx, namespace, name);
          tx.update(
              "INSERT OR IGNORE INTO lease_resources(namespace, lease, type, id)"
                  + " VALUES (?, ?, ?, ?)",
              namespace,
              name,
              type,
              id);
        });
  }

  /** Takes a resource from the lease of a call, if it has one. */
  static void detach(
      WriteTransaction tx, String namespace, Optional<String> lease, String type, String id) {
    lease.ifPresent(name -> remove(tx, namespace, name, type, id));
  }

  private static void remove(
      WriteTransaction tx, String namespace, String lease, String type, String id) {
    tx.update(
        "DELETE FROM lease_resources WHERE namespace = ? AND lease = ? AND type = ? AND id = ?",
        namespace,
        lease,
        type,
        id);
  }

  static boolean exists(ReadTransaction tx, String namespace, String id) {
    return tx.exists("SELECT 1 FROM leases WHERE namespace = ? AND id = ?", namespace, id);
  }

  /**
   * Looks whether the lease of a call, if it has one, is there.
   *
   * @throws NotFoundException if there is no such lease
   */
  static void check(ReadTransaction tx, String namespace, Optional<String> lease) {
    lease.ifPresent(id -> check(tx, namespace, id));
  }

  private static void check(ReadTransaction tx, String namespace, String id) {
    if (!exists(tx, namespace, id)) {
      throw new NotFoundException("lease \"" + id + "\"");
    }
  }

  @Override
  public Lease create(String id, Map<String, String> labels) {
    String namespace = Call.currentNamespace();
    Instant now = database.time().now();
    Lease lease = new Lease(id.isEmpty() ? invent(now) : id, now, Labels.stored(labels));
    return database.write(
        tx -> {
          if (tx.exists(
              "SELECT 1 FROM leases WHERE namespace = ? AND id = ?", namespace, lease.id())) {
            throw new AlreadyExistsException("lease \"" + lease.id() + "\"");
          }
          Database.ensureNamespace(tx, namespace);
          tx.update(
              "INSERT INTO leases(namespace, id, labels, created_at) VALUES (?, ?, ?, ?)",
              namespace,
              lease.id(),
              LabelText.write(lease.labels()),
              Times.nanos(now));
          return lease;
        });
  }

  /** Nanoseconds and three random bytes, as containerd does. */
  private String invent(Instant now) {
    byte[] salt = new byte[3];
    random.nextBytes(salt);
    return now.get(ChronoField.NANO_OF_SECOND) + "-" + Base64.getUrlEncoder().encodeToString(salt);
  }

  @Override
  public void delete(String id, boolean sync) {
    String namespace = Call.currentNamespace();
    database.delete(
        tx -> {
          check(tx, namespace, id);
          tx.update("DELETE FROM leases WHERE namespace = ? AND id = ?", namespace, id);
          tx.update("DELETE FROM lease_resources WHERE namespace = ? AND lease = ?", namespace, id);
          return true;
        });
    if (sync) {
      collector.collect();
    }
  }

  @Override
  public List<Lease> list(Filter filter) {
    Narrowing narrowing =
        Narrowing.of(filter, Map.of(List.of("id"), "id"), Map.of("labels", "labels"));
    String sql =
        "SELECT id, created_at, labels FROM leases WHERE namespace = ?"
            + narrowing.condition()
            + " ORDER BY id";
    Object[] arguments = narrowing.after(Call.currentNamespace());
    return database.read(tx -> tx.all(sql, StoredLeases::lease, arguments)).stream()
        .filter(lease -> filter.matches(fields(lease)))
        .toList();
  }

  private static Lease lease(Row row) {
    return new Lease(row.text(0), Times.instant(row.number(1)), LabelText.read(row.text(2)));
  }

  private static Fields fields(Lease lease) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Fields.nonEmpty(lease.id());
          case "labels" -> Fields.entry(lease.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public void addResource(String id, Lease.Resource resource) {
    String namespace = Call.currentNamespace();
    checkResource(resource);
    database.write(
        tx -> {
          attach(tx, namespace, Optional.of(id), resource.type(), resource.id());
          return true;
        });
  }

  @Override
  public void deleteResource(String id, Lease.Resource resource) {
    String namespace = Call.currentNamespace();
    checkResource(resource);
    database.delete(
        tx -> {
          check(tx, namespace, id);
          remove(tx, namespace, id, resource.type(), resource.id());
          return true;
        });
  }

  private static void checkResource(Lease.Resource resource) {
    if (resource.id().isEmpty()) {
      throw new InvalidArgumentException("lease resource id must not be empty");
    }
    switch (resource.type()) {
      case CONTENT -> Digest.parse(resource.id());
      case INGESTS, IMAGES -> {}
      default -> {
        boolean snapshot =
            resource.type().startsWith(SNAPSHOTS)
                && resource.type().length() > SNAPSHOTS.length()
                && resource.type().indexOf('/', SNAPSHOTS.length()) < 0;
        if (!snapshot) {
          throw new NotImplementedException("resource type \"" + resource.type() + "\"");
        }
      }
    }
  }

  @Override
  public List<Lease.Resource> listResources(String id) {
    String namespace = Call.currentNamespace();
    return database.read(
        tx -> {
          check(tx, namespace, id);
          return tx.all(
              "SELECT id, type FROM lease_resources WHERE namespace = ? AND lease = ?"
                  + " ORDER BY type, id",
              row -> new Lease.Resource(row.text(0), row.text(1)),
              namespace,
              id);
        });
  }
}
