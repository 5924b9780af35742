/** The sockets that the daemon listens on. */
@NullMarked
package io.jcontainerd.daemon.server;

import org.jspecify.annotations.NullMarked;
