package io.jcontainerd.snapshots;

import io.jcontainerd.store.Schema;
import java.util.List;

/** The tables of this room; see the package's description. */
public final class SnapshotSchema {
  /** To be given to the store when it is opened. */
  public static final Schema SCHEMA =
      new Schema(
          "snapshots",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE backend_snapshots("
                      + "snapshotter TEXT NOT NULL, key TEXT NOT NULL, id INTEGER NOT NULL,"
                      + " kind INTEGER NOT NULL, parent INTEGER NOT NULL,"
                      + " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
                      + " size INTEGER NOT NULL, inodes INTEGER NOT NULL,"
                      + " PRIMARY KEY(snapshotter, key)) WITHOUT ROWID",
                  "CREATE UNIQUE INDEX backend_snapshots_by_id"
                      + " ON backend_snapshots(snapshotter, id)",
                  "CREATE INDEX backend_snapshots_by_parent"
                      + " ON backend_snapshots(snapshotter, parent)",
                  "CREATE TABLE backend_snapshot_labels("
                      + "snapshotter TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
                      + " value TEXT NOT NULL, PRIMARY KEY(snapshotter, id, name)) WITHOUT ROWID",
                  "CREATE TABLE backend_snapshot_ids("
                      + "snapshotter TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
                  "CREATE TABLE backend_snapshot_graves("
                      + "snapshotter TEXT NOT NULL, id INTEGER NOT NULL,"
                      + " PRIMARY KEY(snapshotter, id)) WITHOUT ROWID"),
              Schema.Step.of(
                  "CREATE TABLE backend_snapshot_manifests("
                      + "snapshotter TEXT NOT NULL, id INTEGER NOT NULL, sum INTEGER NOT NULL,"
                      + " entries INTEGER NOT NULL, complete INTEGER NOT NULL,"
                      + " media_type TEXT NOT NULL, blob TEXT NOT NULL, diff_id TEXT NOT NULL,"
                      + " PRIMARY KEY(snapshotter, id)) WITHOUT ROWID"),
              Schema.Step.of(
                  "CREATE TABLE backend_snapshot_boots("
                      + "snapshotter TEXT NOT NULL, id INTEGER NOT NULL, boot TEXT NOT NULL,"
                      + " PRIMARY KEY(snapshotter, id)) WITHOUT ROWID",
                  "CREATE TABLE backend_snapshot_losses("
                      + "snapshotter TEXT NOT NULL, key TEXT NOT NULL,"
                      + " PRIMARY KEY(snapshotter, key)) WITHOUT ROWID"),
              Schema.Step.of(
                  "CREATE TABLE backend_snapshot_syncs("
                      + "snapshotter TEXT PRIMARY KEY) WITHOUT ROWID")));

  private SnapshotSchema() {}
}
