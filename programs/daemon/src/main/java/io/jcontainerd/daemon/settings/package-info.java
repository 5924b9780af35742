/**
 * What can be configured: one record per plug-in, named and spelled as containerd does, with
 * containerd's defaults, and a few tables of our own.
 */
@NullMarked
package io.jcontainerd.daemon.settings;

import org.jspecify.annotations.NullMarked;
