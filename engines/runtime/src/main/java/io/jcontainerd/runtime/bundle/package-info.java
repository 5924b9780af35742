/**
 * The folder of a task, shared by the daemon, its shim and the OCI runtime. Drawn as containerd
 * lays it out, so that either daemon finds the tasks of the other.
 *
 * <pre>
 *   STATE/io.containerd.runtime.v2.task/NAMESPACE/ID   0700; 0710 and the mapped root's group with a
 *                                                      user namespace
 *     config.json        the OCI specification
 *     rootfs/            0711, where the shim mounts the root file system
 *     work               symbolic link to ROOT/io.containerd.runtime.v2.task/NAMESPACE/ID (0711)
 *     log                FIFO, the shim's log lines
 *     bootstrap.json     {"version":3,"address":"unix:///…","protocol":"ttrpc"}
 *     shim-binary-path   0600, the shim's program
 *     shim-process       number and start time of the shim's process, when tasks do not share it
 *     sandbox            id of the sandbox, when there is one
 *     exit-event         empty; there once the exit of the init process was told to subscribers
 *     address            only from shims of old; replaced by bootstrap.json when met
 *     options.json, runtime, init.pid, log.json, s …   the shim's own
 * </pre>
 *
 * <p>A folder whose name begins with a dot is being deleted. Names and content need not survive a
 * power cut, as the processes do not.
 */
package io.jcontainerd.runtime.bundle;
