/** The daemon's command line, which is containerd's. */
@NullMarked
package io.jcontainerd.daemon.cli;

import org.jspecify.annotations.NullMarked;
