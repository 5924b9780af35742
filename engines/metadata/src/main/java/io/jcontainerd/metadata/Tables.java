package io.jcontainerd.metadata;

import io.jcontainerd.store.Schema;
import java.util.List;

/** The tables of this room. */
final class Tables {
  private static final String TIMES = " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,";

  static final Schema SCHEMA =
      new Schema(
          "metadata",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE namespaces(name TEXT PRIMARY KEY, labels TEXT NOT NULL)"
                      + " WITHOUT ROWID",
                  "CREATE TABLE containers(namespace TEXT NOT NULL, id TEXT NOT NULL,"
                      + " image TEXT NOT NULL, runtime TEXT NOT NULL, runtime_options_type TEXT,"
                      + " runtime_options BLOB, spec_type TEXT, spec BLOB,"
                      + " snapshotter TEXT NOT NULL, snapshot_key TEXT NOT NULL,"
                      + " sandbox TEXT NOT NULL, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, id))",
                  "CREATE TABLE container_extensions(namespace TEXT NOT NULL,"
                      + " container TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,"
                      + " value BLOB NOT NULL, PRIMARY KEY(namespace, container, name))",
                  "CREATE TABLE images(namespace TEXT NOT NULL, name TEXT NOT NULL,"
                      + " media_type TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,"
                      + " annotations TEXT NOT NULL, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, name))",
                  "CREATE TABLE blobs(namespace TEXT NOT NULL, digest TEXT NOT NULL,"
                      + " size INTEGER NOT NULL, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, digest))",
                  "CREATE INDEX blobs_by_digest ON blobs(digest)",
                  "CREATE TABLE ingests(namespace TEXT NOT NULL, ref TEXT NOT NULL,"
                      + " backend_ref TEXT NOT NULL UNIQUE, expected TEXT, expires_at INTEGER,"
                      + " PRIMARY KEY(namespace, ref))",
                  "CREATE TABLE snapshots(namespace TEXT NOT NULL, snapshotter TEXT NOT NULL,"
                      + " key TEXT NOT NULL, backend_key TEXT NOT NULL, parent TEXT NOT NULL,"
                      + " kind TEXT NOT NULL, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, snapshotter, key))",
                  "CREATE INDEX snapshots_by_parent ON snapshots(namespace, snapshotter, parent)",
                  "CREATE INDEX snapshots_by_backend ON snapshots(snapshotter, backend_key)",
                  "CREATE TABLE leases(namespace TEXT NOT NULL, id TEXT NOT NULL,"
                      + " labels TEXT NOT NULL, created_at INTEGER NOT NULL,"
                      + " PRIMARY KEY(namespace, id)) WITHOUT ROWID",
                  "CREATE TABLE lease_resources(namespace TEXT NOT NULL, lease TEXT NOT NULL,"
                      + " type TEXT NOT NULL, id TEXT NOT NULL,"
                      + " PRIMARY KEY(namespace, lease, type, id)) WITHOUT ROWID",
                  "CREATE TABLE sandboxes(namespace TEXT NOT NULL, id TEXT NOT NULL,"
                      + " sandboxer TEXT NOT NULL, runtime TEXT NOT NULL,"
                      + " runtime_options_type TEXT, runtime_options BLOB, spec_type TEXT,"
                      + " spec BLOB, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, id))",
                  "CREATE TABLE sandbox_extensions(namespace TEXT NOT NULL,"
                      + " sandbox TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,"
                      + " value BLOB NOT NULL, PRIMARY KEY(namespace, sandbox, name))",
                  "CREATE TABLE condemned(id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
                      + " owner TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL,"
                      + " UNIQUE(kind, owner, key))",
                  "CREATE TABLE numbers(name TEXT PRIMARY KEY, next INTEGER NOT NULL)"
                      + " WITHOUT ROWID",
                  "INSERT INTO numbers(name, next) VALUES ('backend', 1)",
                  "CREATE TABLE mutations(count INTEGER NOT NULL)",
                  "INSERT INTO mutations(count) VALUES (0)"),
              Schema.Step.of(
                  "CREATE TABLE snapshot_commits(namespace TEXT NOT NULL,"
                      + " snapshotter TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,"
                      + " backend_name TEXT NOT NULL, parent TEXT NOT NULL, labels TEXT NOT NULL,"
                      + " lease TEXT, PRIMARY KEY(namespace, snapshotter, key),"
                      + " UNIQUE(namespace, snapshotter, name),"
                      + " UNIQUE(snapshotter, backend_name))"),
              Schema.Step.of(
                  "CREATE TABLE mounts(namespace TEXT NOT NULL, name TEXT NOT NULL,"
                      + " id INTEGER NOT NULL UNIQUE, lease TEXT, labels TEXT NOT NULL,"
                      + TIMES
                      + " PRIMARY KEY(namespace, name))",
                  "CREATE TABLE mount_steps(id INTEGER NOT NULL, position INTEGER NOT NULL,"
                      + " type TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,"
                      + " options TEXT NOT NULL, mount_point TEXT, mounted_at INTEGER,"
                      + " data TEXT NOT NULL, PRIMARY KEY(id, position)) WITHOUT ROWID"),
              Schema.Step.of("DROP TABLE mutations"),
              Schema.Step.of(
                  "CREATE TABLE event_origins(teller TEXT PRIMARY KEY, sequence INTEGER NOT NULL,"
                      + " told_at INTEGER NOT NULL) WITHOUT ROWID")),
          GraphTable.watched());

  private Tables() {}
}
