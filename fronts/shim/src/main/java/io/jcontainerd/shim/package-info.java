/**
 * The shim host: one process that is the parent of many containers and serves containerd's task
 * service for them.
 *
 * <p>State folder, all of it valid for one boot of the machine only and therefore not forced to
 * disk:
 *
 * <pre>
 * STATE/lock                      held by the one host of the folder: see StateLock
 * STATE/boot                      the boot's id; a folder of another boot is emptied at start
 * STATE/containers/NS/ID.json     one container: see ContainerRecord
 * STATE/events/journal            events not yet taken by the daemon: see EventJournal
 * STATE/events/taken              how many bytes of the journal the daemon has taken
 * STATE/serving, STATE/expected   whether clients are taken, or on their way: see ServingMark
 * STATE/sockets/NS                the address of a namespace's own socket: see NamespaceSockets
 * STATE/tmp/                      mounts that are needed while another one is made
 * STATE/log, STATE/log.1          what the host prints, as the daemon arranged it
 * </pre>
 *
 * <p>Console sockets, each for the length of one call, lie beside the host's own: see
 * ConsoleFolder. A host that leaves nothing to a successor removes all of it.
 */
package io.jcontainerd.shim;
