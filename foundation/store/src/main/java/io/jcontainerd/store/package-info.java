/**
 * The daemon's one transactional store.
 *
 * <p>On disk, all beside each other in the folder of {@code NAME}, which the opener chooses:
 *
 * <pre>
 * NAME            the SQLite database, mode 0600, application id "jcnt"
 * NAME-wal        its write-ahead log; merged into NAME and removed by an orderly close
 * NAME-shm        its shared index; worthless when no daemon runs
 * NAME.lock       locked while a daemon uses the store; holds that daemon's process id
 * NAME.reserve    space kept back, given up so that things can be deleted on a full disk
 * lib/sqlite-V/   SQLite's native library, copied out of its jar
 * </pre>
 *
 * <p>Tables of this room:
 *
 * <pre>
 * schema_steps(room, step, applied_at)                       which steps of which room were done
 * events(number, at, namespace, topic, type, payload)        numbered from 1 without gaps
 * </pre>
 *
 * <p>Times are nanoseconds since 1970. Every other table belongs to the room that declares it in
 * its {@link io.jcontainerd.store.Schema}.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.store;
