/**
 * What belongs to whom: the namespaced view of everything the daemon keeps, and the garbage
 * collector that removes what nothing refers to.
 *
 * <p>Tables, all in the daemon's one store; labels and annotations are text, a {@code key=value} a
 * line, and times are nanoseconds since 1970:
 *
 * <pre>
 * namespaces(name, labels)
 * containers(namespace, id, image, runtime…, spec…, snapshotter, snapshot_key, sandbox, labels, times)
 * container_extensions(namespace, container, name, type, value)
 * images(namespace, name, media_type, digest, size, annotations, labels, times)
 * blobs(namespace, digest, size, labels, times)
 * ingests(namespace, ref, backend_ref, expected, expires_at)     backend_ref is NAMESPACE/NUMBER/REF
 * snapshots(namespace, snapshotter, key, backend_key, parent, kind, labels, times)
 *                                                                backend_key is NAMESPACE/NUMBER/KEY
 * snapshot_commits(namespace, snapshotter, key, name, backend_name, parent, labels, lease)
 *                                                                begun, and not ended yet
 * leases(namespace, id, labels, created_at)
 * lease_resources(namespace, lease, type, id)
 * sandboxes(namespace, id, sandboxer, runtime…, spec…, labels, times), sandbox_extensions(…)
 * condemned(id, kind, owner, key, sequence)    removed here, still to be removed from its backend
 * numbers(name, next)                          where NUMBER goes on
 * </pre>
 *
 * <p>Nothing in a backend is touched inside a transaction. What is made is made in the backend
 * first and recorded after; a crash between leaves an orphan in the backend, which the first
 * collection after a start removes. What is removed is removed from the tables first, together with
 * a row in {@code condemned}, and from the backend after; a crash between leaves the row, and the
 * next collection goes on with it. What is changed in the backend, the commit of a snapshot, is
 * announced in the tables before: whatever happens between leaves the row in {@code
 * snapshot_commits}, and the next start, collection or try ends the commit if the backend has done
 * it and takes it back if not.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.metadata;
