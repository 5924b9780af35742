/**
 * Tasks of any containerd, driven through core's interfaces: a driver that makes containers of a
 * static busybox, their streams, and what was told of them.
 *
 * <p>{@link io.jcontainerd.testkit.tasks.TaskDriver} is for contracts, kill tables, soaks and
 * measurements alike. What it made it takes away again.
 */
package io.jcontainerd.testkit.tasks;
