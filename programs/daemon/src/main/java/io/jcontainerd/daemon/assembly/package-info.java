/**
 * The list of all plug-ins: what each is called, what it needs, and which room's class it is.
 *
 * <p>Nothing is looked for; {@link Assembly} names them all. The ids are containerd's, for clients
 * ask for some of them by name.
 */
@NullMarked
package io.jcontainerd.daemon.assembly;

import org.jspecify.annotations.NullMarked;
