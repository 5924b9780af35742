/** Snapshotters that have layers of their own, as those that pull lazily do. */
package io.jcontainerd.testkit.remote;
