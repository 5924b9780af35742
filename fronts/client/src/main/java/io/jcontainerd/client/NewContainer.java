package io.jcontainerd.client;

import static java.util.stream.Collectors.joining;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.oci.runtime.DefaultSpec;
import io.jcontainerd.oci.runtime.IdMapping;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.oci.runtime.SpecContext;
import io.jcontainerd.oci.runtime.SpecOption;
import io.jcontainerd.oci.runtime.SpecOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A container about to be made: a writable snapshot of an image, a specification, a record. The
 * setters return the container itself. {@link #create} leaves nothing behind when it fails. For one
 * thread.
 */
public final class NewContainer {
  private static final String UID_MAPPING = "containerd.io/snapshot/uidmapping";
  private static final String GID_MAPPING = "containerd.io/snapshot/gidmapping";
  private static final String REMAP = "remap-ids";

  private final Containerd client;
  private final String id;
  private final Map<String, String> labels = new HashMap<>();
  private final List<SpecOption> options = new ArrayList<>();
  private String imageName = "";
  private String parent = "";
  private String snapshotter = "";
  private String runtime = "";
  private Optional<TypedValue> runtimeOptions = Optional.empty();
  private List<IdMapping> uids = List.of();
  private List<IdMapping> gids = List.of();
  private boolean withSnapshot;

  NewContainer(Containerd client, String id) {
    this.client = client;
    this.id = id;
  }

  /**
   * What runs: a snapshot on the image's layers, and the image's way of running. Options given
   * before are applied before.
   *
   * @param args in place of the image's command; empty for that
   */
  public NewContainer image(PulledImage image, List<String> args) {
    this.imageName = image.image().name();
    this.parent = image.topSnapshot();
    this.withSnapshot = true;
    options.add(SpecOptions.image(image.config(), args));
    return this;
  }

  /** Changes of the specification, in order. */
  public NewContainer spec(SpecOption... changes) {
    options.addAll(List.of(changes));
    return this;
  }

  /** Where the snapshot is; the image must have been unpacked there. */
  public NewContainer snapshotter(String name) {
    this.snapshotter = name;
    return this;
  }

  /** How its tasks run. */
  public NewContainer runtime(String name, Optional<TypedValue> shimOptions) {
    this.runtime = name;
    this.runtimeOptions = shimOptions;
    return this;
  }

  /** A label of the record. */
  public NewContainer label(String key, String value) {
    labels.put(key, value);
    return this;
  }

  /**
   * A user namespace, and a root whose files belong to it. The snapshotter must be able to remap
   * ids.
   */
  public NewContainer userNamespace(List<IdMapping> users, List<IdMapping> groups) {
    this.uids = List.copyOf(users);
    this.gids = List.copyOf(groups);
    options.add(SpecOptions.userNamespace(users, groups));
    return this;
  }

  /**
   * Makes snapshot and record.
   *
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if there is a container of that id
   * @throws FailedPreconditionException if ids must be remapped and the snapshotter cannot
   */
  public Container create() {
    if (!withSnapshot) {
      return record(SpecContext.of(client.namespace(), id), "");
    }
    RemoteSnapshotter snapshots = client.snapshotter(snapshotter);
    try (LeaseHandle lease = client.leases().grant(Duration.ofHours(1))) {
      return lease
          .call()
          .call(
              () -> {
                List<Mount> mounts = prepare(snapshots);
                try {
                  SpecContext context =
                      new SpecContext(client.namespace(), id, SnapshotFiles.of(mounts));
                  return record(context, snapshots.name());
                } catch (ContainerdException e) {
                  try {
                    snapshots.remove(id);
                  } catch (ContainerdException more) {
                    e.addSuppressed(more);
                  }
                  throw e;
                }
              });
    }
  }

  private List<Mount> prepare(RemoteSnapshotter snapshots) {
    Map<String, String> mapping = new HashMap<>();
    if (!uids.isEmpty()) {
      if (!snapshots.capabilities().contains(REMAP)) {
        throw new FailedPreconditionException(
            "container "
                + id
                + ": snapshotter "
                + snapshots.name()
                + " cannot remap ids for a user namespace");
      }
      mapping.put(UID_MAPPING, text(uids));
      mapping.put(GID_MAPPING, text(gids));
    }
    return switch (snapshots.prepare(id, parent, mapping)) {
      case Prepared.Writable(List<Mount> mounts) -> mounts;
      case Prepared.AlreadyThere _ ->
          throw new FailedPreconditionException("snapshot " + id + " is committed already");
    };
  }

  private static String text(List<IdMapping> mappings) {
    return mappings.stream().map(IdMapping::toString).collect(joining(","));
  }

  private Container record(SpecContext context, String snapshotterName) {
    Spec spec = SpecOption.all(options).apply(DefaultSpec.linux(context), context);
    return client
        .containers()
        .create(
            new Container(
                id,
                labels,
                imageName,
                new Container.Runtime(
                    runtime.isEmpty() ? client.defaultRuntime() : runtime, runtimeOptions),
                Optional.of(new TypedValue(Spec.TYPE_URL, spec.toBytes())),
                snapshotterName,
                withSnapshot ? id : "",
                Map.of(),
                "",
                Instant.EPOCH,
                Instant.EPOCH));
  }
}
