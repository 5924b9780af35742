/**
 * Storage that can be checked against what was recorded of it, healed, and explained.
 *
 * <p>An applier tells sums of the files that it unpacks ({@link
 * io.jcontainerd.core.check.UnpackObserver}); a snapshotter keeps them with what else it knows of a
 * layer when that is committed, and compares with it later ({@link
 * io.jcontainerd.core.check.CheckedTrees}). What people ask for is {@link
 * io.jcontainerd.core.check.StorageCare} and {@link io.jcontainerd.core.check.StorageExplainer}.
 */
package io.jcontainerd.core.check;
