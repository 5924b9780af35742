/** The daemon's log: containerd's text and JSON lines on standard error. */
@NullMarked
package io.jcontainerd.daemon.log;

import org.jspecify.annotations.NullMarked;
