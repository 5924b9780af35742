/**
 * What the interfaces of core promise, as tests. An implementation is held to a contract by a class
 * that extends it and says how to open one; ours are, locally, per namespace, behind a live socket
 * and in memory, and so is the distribution's containerd.
 *
 * <ul>
 *   <li>One interface: {@link io.jcontainerd.testkit.contract.ContentStoreContract} and its like.
 *   <li>A kind of snapshotter, records and files: {@link
 *       io.jcontainerd.testkit.contract.SnapshotterFilesContract}.
 *   <li>An applier with a comparer: {@link io.jcontainerd.testkit.contract.DifferContract}.
 *   <li>All the stores of a daemon, its leases and its collection of garbage among them: {@link
 *       io.jcontainerd.testkit.contract.DaemonContract}.
 *   <li>Tasks, whoever keeps them: {@link io.jcontainerd.testkit.contract.TaskContract}.
 * </ul>
 *
 * <p>Where implementations may rightly differ, there is a trait to leave out; {@link
 * io.jcontainerd.testkit.contract.ContractReport} tells who was held to what.
 */
package io.jcontainerd.testkit.contract;
