/**
 * Sandboxes: what the containers of a pod share.
 *
 * <pre>
 *   STATE/io.containerd.sandbox.controller.v1.shim/NAMESPACE/ID    a bundle as a task's, of a sandbox
 *                                                                  that a shim keeps; config.json is
 *                                                                  there if its record has a spec
 *   STATE/io.containerd.podsandbox.controller.v1.podsandbox/NAMESPACE/ID    a pod of the daemon's own
 *     sandbox.json       where it is in its life, and which namespaces its containers share
 *     namespaces/        net, ipc, uts: a file for each namespace that was made, mounted on it
 *     rootfs/, work      empty
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.runtime.sandbox;
