package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Names and records of mounts over who does them.
 *
 * <p>Mounts are done before their record and undone after it: what is mounted and in no record was
 * left by a killed daemon, and goes at the next start. So does a record whose mounts did not
 * outlive the machine.
 */
final class NamespacedMounts implements MountManager {
  private static final Logger LOG = System.getLogger(NamespacedMounts.class.getName());
  private static final String SEPARATOR = "\0";

  private final Database database;
  private final MountActivator activator;

  /** One activation of a name at a time; the next one finds it taken. */
  private final Map<Name, ReentrantLock> locks = new ConcurrentHashMap<>();

  private record Name(String namespace, String name) {}

  /** A record. */
  private record Stored(long id, Activation activation) {}

  NamespacedMounts(Database database, MountActivator activator) {
    this.database = database;
    this.activator = activator;
  }

  private static String shown(String name) {
    return "mount \"" + name + "\"";
  }

  @Override
  public Activation activate(String name, List<Mount> mounts, ActivationOptions options) {
    Call call = Call.current();
    var key = new Name(call.namespace(), name);
    if (name.isEmpty()) {
      throw new InvalidArgumentException("mount name must not be empty");
    }
    Map<String, String> kept = Labels.stored(options.labels());
    // A lock that somebody waits for must stay the one in the map, so it goes with the name only.
    ReentrantLock lock = locks.computeIfAbsent(key, _ -> new ReentrantLock());
    lock.lock();
    try {
      database.read(
          tx -> {
            checkFree(tx, key);
            StoredLeases.check(tx, key.namespace(), call.lease());
            return true;
          });
      MountActivator.Done done = activator.activate(mounts, options);
      try {
        return record(key, call.lease(), done, kept);
      } catch (RuntimeException e) {
        try {
          activator.deactivate(done.id());
        } catch (ContainerdException second) {
          e.addSuppressed(second); // the next start finds it
        }
        throw e;
      }
    } finally {
      lock.unlock();
      if (!lock.hasQueuedThreads()) {
        locks.remove(key, lock);
      }
    }
  }

  private static void checkFree(ReadTransaction tx, Name key) {
    if (tx.exists(
        "SELECT 1 FROM mounts WHERE namespace = ? AND name = ?", key.namespace(), key.name())) {
      throw new AlreadyExistsException(shown(key.name()));
    }
  }

  private Activation record(
      Name key, Optional<String> lease, MountActivator.Done done, Map<String, String> labels) {
    long now = database.now();
    return database.write(
        tx -> {
          checkFree(tx, key);
          StoredLeases.check(tx, key.namespace(), lease);
          Database.ensureNamespace(tx, key.namespace());
          tx.update(
              "INSERT INTO mounts(namespace, name, id, lease, labels, created_at, updated_at)"
                  + " VALUES (?, ?, ?, ?, ?, ?, ?)",
              key.namespace(),
              key.name(),
              done.id(),
              lease.orElse(null),
              LabelText.write(labels),
              now,
              now);
          int position = 0;
          for (ActiveMount active : done.active()) {
            step(tx, done.id(), position++, active.mount(), Optional.of(active));
          }
          for (Mount system : done.system()) {
            step(tx, done.id(), position++, system, Optional.empty());
          }
          return get(tx, key).activation();
        });
  }

  private static void step(
      WriteTransaction tx, long id, int position, Mount mount, Optional<ActiveMount> active) {
    tx.update(
        "INSERT INTO mount_steps(id, position, type, source, target, options, mount_point,"
            + " mounted_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        position,
        mount.type(),
        mount.source(),
        mount.target(),
        String.join(SEPARATOR, mount.options()),
        active.map(ActiveMount::mountPoint).orElse(null),
        active.map(done -> Times.nanos(done.mountedAt())).orElse(null),
        LabelText.write(active.map(ActiveMount::data).orElse(Map.of())));
  }

  private static Stored get(ReadTransaction tx, Name key) {
    return find(tx, key).orElseThrow(() -> new NotFoundException(shown(key.name())));
  }

  private static Optional<Stored> find(ReadTransaction tx, Name key) {
    return tx.first(
            "SELECT name, id, labels FROM mounts WHERE namespace = ? AND name = ?",
            NamespacedMounts::bare,
            key.namespace(),
            key.name())
        .map(stored -> withSteps(tx, stored));
  }

  private static Stored bare(Row row) {
    return new Stored(
        row.number(1),
        new Activation(row.text(0), List.of(), List.of(), LabelText.read(row.text(2))));
  }

  private static Stored withSteps(ReadTransaction tx, Stored stored) {
    var active = new ArrayList<ActiveMount>();
    var system = new ArrayList<Mount>();
    tx.each(
        "SELECT type, source, target, options, mount_point, mounted_at, data FROM mount_steps"
            + " WHERE id = ? ORDER BY position",
        row -> {
          String options = row.text(3);
          var mount =
              new Mount(
                  row.text(0),
                  row.text(1),
                  row.text(2),
                  options.isEmpty() ? List.of() : List.of(options.split(SEPARATOR, -1)));
          String point = row.textOrNull(4);
          if (point == null) {
            system.add(mount);
          } else {
            active.add(
                new ActiveMount(
                    mount, Times.instant(row.number(5)), point, LabelText.read(row.text(6))));
          }
        },
        stored.id());
    Activation bare = stored.activation();
    return new Stored(stored.id(), new Activation(bare.name(), active, system, bare.labels()));
  }

  /** Removes a record, and returns the number of its mounts. */
  static Optional<Long> removed(WriteTransaction tx, String namespace, String name) {
    Optional<Long> id =
        tx.first(
            "DELETE FROM mounts WHERE namespace = ? AND name = ? RETURNING id",
            row -> row.number(0),
            namespace,
            name);
    id.ifPresent(number -> tx.update("DELETE FROM mount_steps WHERE id = ?", number));
    return id;
  }

  @Override
  public void deactivate(String name) {
    String namespace = Call.currentNamespace();
    // Asked for every task that ends, most of which have none: that need not be a write.
    Stored _ = database.read(tx -> get(tx, new Name(namespace, name)));
    long id =
        database.delete(
            tx -> {
              long number =
                  removed(tx, namespace, name)
                      .orElseThrow(() -> new NotFoundException(shown(name)));
              Condemned.mount(tx, number);
              return number;
            });
    try {
      activator.deactivate(id);
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, shown(name) + " was gone", e);
    }
    database.complete(tx -> forget(tx, id));
  }

  private static boolean forget(WriteTransaction tx, long id) {
    tx.update(
        "DELETE FROM condemned WHERE kind = ? AND key = ?", Condemned.MOUNT, Long.toString(id));
    return true;
  }

  @Override
  public Activation info(String name) {
    var key = new Name(Call.currentNamespace(), name);
    return database.read(tx -> get(tx, key).activation());
  }

  @Override
  public Activation update(Activation activation, FieldMask mask) {
    var key = new Name(Call.currentNamespace(), activation.name());
    long now = database.now();
    return database.replace(
        tx -> {
          Stored stored = get(tx, key);
          Map<String, String> labels =
              mask.isAll() ? activation.labels() : stored.activation().labels();
          for (String path : mask.paths()) {
            if (!FieldMask.selects(path, "labels")) {
              throw FieldMask.refused(path, "mount");
            }
            labels = FieldMask.patch(path, "labels", labels, activation.labels());
          }
          labels = Labels.stored(labels);
          tx.update(
              "UPDATE mounts SET labels = ?, updated_at = ? WHERE id = ?",
              LabelText.write(labels),
              now,
              stored.id());
          return get(tx, key).activation();
        });
  }

  @Override
  public List<Activation> list() {
    String namespace = Call.currentNamespace();
    return database.read(
        tx ->
            tx
                .all(
                    "SELECT name, id, labels FROM mounts WHERE namespace = ? ORDER BY name",
                    NamespacedMounts::bare,
                    namespace)
                .stream()
                .map(stored -> withSteps(tx, stored).activation())
                .toList());
  }

  /** What is mounted and what is recorded become one again; for a start. */
  void recover() {
    // Numbers may be given out anew: what was to be undone is found by what is there.
    database.complete(
        tx -> tx.update("DELETE FROM condemned WHERE kind = ?", Condemned.MOUNT) >= 0);
    Set<Long> kept = new HashSet<>();
    for (Map.Entry<Name, Stored> entry : everything()) {
      Name key = entry.getKey();
      Stored stored = entry.getValue();
      Activation activation = stored.activation();
      if (activator.isWhole(
          new MountActivator.Done(stored.id(), activation.active(), activation.system()))) {
        kept.add(stored.id());
      } else {
        LOG.log(Level.INFO, "{0} of {1} did not outlive the restart", key.name(), key.namespace());
        database.delete(tx -> removed(tx, key.namespace(), key.name()).isPresent());
      }
    }
    for (long id : activator.ids()) {
      if (!kept.contains(id)) {
        undo(id);
      }
    }
  }

  /** One that cannot be undone is tried again with every sweep. */
  private void undo(long id) {
    try {
      activator.deactivate(id);
      database.complete(tx -> forget(tx, id));
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "mounts " + id + " of an earlier run cannot be undone yet", e);
      database.complete(
          tx -> {
            Condemned.mount(tx, id);
            return true;
          });
    }
  }

  private List<Map.Entry<Name, Stored>> everything() {
    return database.read(
        tx -> {
          var names = new ArrayList<Name>();
          tx.each(
              "SELECT namespace, name FROM mounts",
              row -> names.add(new Name(row.text(0), row.text(1))));
          return names.stream().map(key -> Map.entry(key, get(tx, key))).toList();
        });
  }
}
