/**
 * A daemon is loaded by several clients, ended without warning and started again; then what it has
 * is compared with what it promised.
 *
 * <p>{@link io.jcontainerd.endure.Model} makes images out of numbers, so that every byte of them is
 * known later. {@link io.jcontainerd.endure.Worker workers} pull, unpack, build, run and delete
 * them, and note in the {@link io.jcontainerd.endure.Ledger} what they ask for before they ask and
 * what was answered after. {@link io.jcontainerd.endure.Verifier} compares the daemon with the
 * ledger. {@link io.jcontainerd.endure.Kill} and {@link io.jcontainerd.endure.Power} put these
 * together.
 */
package io.jcontainerd.endure;
