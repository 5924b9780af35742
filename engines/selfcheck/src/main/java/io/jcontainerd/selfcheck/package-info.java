/**
 * Storage that looks after itself.
 *
 * <p>{@link io.jcontainerd.selfcheck.SelfCheck} looks at everything when somebody asks, and, a
 * little at a time, when nothing else is to be done. A damaged blob is fetched again from where it
 * came; of a damaged layer, what is wrong is made again from its record and its blob. What cannot
 * be healed is not served: a blob is set aside, a layer is kept from being mounted by {@link
 * io.jcontainerd.selfcheck.MountGate} until it is healed, and every try to use it is a try to heal
 * it, so that pulling an image again is enough.
 *
 * <p>Tables:
 *
 * <pre>
 * selfcheck_layers(snapshotter, key, state, reason, since)    state 1 suspect, 2 quarantined
 * selfcheck_looked(kind, name, at)      the layers that the scrub has looked at in this round, and
 *                                       the last blob, which it takes in order of digest
 * selfcheck_rounds(id, began, ended)    one row
 * selfcheck_runs(id, boot, began, clean)    one row: the last run of the daemon
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.selfcheck;
