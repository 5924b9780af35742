/**
 * The content store of one machine: a folder, laid out as containerd lays it out.
 *
 * <pre>
 * ROOT/
 *   blobs/ALGORITHM/HEX       a blob; mode 0444, its modification time is when it was committed
 *   aside/ALGORITHM-HEX       ours: a blob that was found damaged and is not served
 *   ingest/
 *     SHA256-OF-REF/          an ingest; the name is the hex of the hash of the ref's bytes
 *       ref                   the ref
 *       data                  the bytes so far
 *       startedat, updatedat  RFC 3339, to the nanosecond
 *       total                 decimal, only once known
 *       forced                ours, from the beginning: boot id, a space, and how many bytes were
 *                             then durable
 *     .new-…  .rm-…           half made or half removed; deleted when the store is opened
 * </pre>
 *
 * <p>A blob appears by one rename of a file that is whole and durable, so whatever is below {@code
 * blobs} can be trusted. An ingest is a promise of nothing: after a reboot, only as many of its
 * bytes are taken up again as {@code forced} says; a folder without {@code ref} or {@code data} is
 * no ingest, and is removed.
 */
package io.jcontainerd.content;
