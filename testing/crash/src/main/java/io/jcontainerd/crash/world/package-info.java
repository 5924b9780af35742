/** The daemon's storage, assembled as the daemon does it over ports in memory, and its client. */
package io.jcontainerd.crash.world;
