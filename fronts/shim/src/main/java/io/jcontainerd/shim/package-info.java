/**
 * The shim host: one process that is the parent of many containers and serves containerd's task
 * service for them.
 *
 * <p>State folder, all of it valid for one boot of the machine only and therefore not forced to
 * disk:
 *
 * <pre>
 * STATE/boot                      the boot's id; a folder of another boot is emptied at start
 * STATE/containers/NS/ID.json     one container: see ContainerRecord
 * STATE/events/journal            events not yet taken by the daemon: see EventJournal
 * STATE/events/taken              how many bytes of the journal the daemon has taken
 * STATE/c/                        console sockets, each for the length of one call
 * </pre>
 */
package io.jcontainerd.shim;
