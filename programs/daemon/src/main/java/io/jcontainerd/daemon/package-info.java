/**
 * The daemon: reads its configuration, starts the plug-in graph, opens the sockets, and ends in
 * order. It holds no rules of its own about containers; it puts rooms together.
 */
@NullMarked
package io.jcontainerd.daemon;

import org.jspecify.annotations.NullMarked;
