/**
 * Snapshotters: overlayfs and native keep each snapshot in a folder of its own, btrfs in a
 * subvolume, blockfile in a file that holds a file system, erofs in a file that holds an EROFS,
 * devmapper on a thin device.
 *
 * <p>Folders, as containerd lays them out:
 *
 * <pre>
 * ROOT/                     0700
 *   snapshots/ID/           0700; the id is a number that grows
 *     fs/                   overlayfs: what this snapshot adds to its parents
 *     work/                 overlayfs: for the kernel; only where the snapshot is or was active
 *   snapshots/ID/           native: the whole tree
 *   active/ID/              btrfs: a subvolume
 *   view/ID/                btrfs: a subvolume that is read only, of a committed one
 *   snapshots/ID/           btrfs: a subvolume that is read only, made of active/ID by its commit
 *   scratch                 blockfile: an empty file system
 *   snapshots/ID            blockfile: a file system
 *   snapshots/ID/           erofs
 *     layer.erofs           of a committed one: its files; made by its commit, or by a differ
 *     fs/                   of an active one: its files; of a committed one: empty, for owner and mode
 *     work/                 for the kernel
 *     rwlayer.img           a file system for the files instead of fs/, if there is a default_size
 *     .erofslayer           tells a differ that it may make layer.erofs
 *   snapshots/ID            devmapper: what the device holds, and what it used when it was new
 *   manifests/ID-SUM        what a committed snapshot is made of; see the package manifest
 *   heal/                   while a damaged layer is put right
 *   probe-…/                while the snapshotter looks at what the kernel can do
 * </pre>
 *
 * <p>Records are in the store:
 *
 * <pre>
 * backend_snapshots(snapshotter, key, id, kind, parent, created_at, updated_at, size, inodes)
 *     kind 1 view, 2 active, 3 committed; parent is an id, 0 for none; times in nanoseconds
 * backend_snapshot_labels(snapshotter, id, name, value)
 * backend_snapshot_ids(snapshotter, next)        ids below were given out
 * backend_snapshot_graves(snapshotter, id)       removed, folder not yet deleted
 * backend_snapshot_manifests(snapshotter, id, sum, entries, complete, media_type, blob, diff_id)
 *     the sum of the manifest's bytes; whether all files have one; the blob, where the layer is one
 * backend_snapshot_boots(snapshotter, id, boot)  provisional: not known to survive this boot
 * backend_snapshot_losses(snapshotter, key)      was provisional and is lost; told until forgotten
 * backend_snapshot_syncs(snapshotter)            a synchronisation was begun and nobody noted its end
 * </pre>
 *
 * <p>A manifest is written before the snapshot is committed, and its sum is part of the record of
 * that. One whose sum is not recorded is a dead process's, and goes with the next clean-up.
 *
 * <p>A folder is made before its record and deleted after it, so that a record always has its
 * folder; a folder that has neither a record nor a grave is a dead process's, and goes with the
 * next clean-up. A commit that needs another form on disk makes it before its record and removes
 * the old one after it; whichever does not fit the record goes with the next clean-up. What is
 * being unpacked - told by its key - is provisional from the beginning, and is committed as such;
 * one synchronisation of the file system makes all that were committed before it durable. What is
 * provisional when the machine goes down, when a synchronisation fails, or when the process dies
 * during one, is lost with all that stands on it. Nothing else is ever made on something
 * provisional, and nothing else is ever lost: its commit waits for a synchronisation before its
 * record.
 */
package io.jcontainerd.snapshots;
