/**
 * The plug-in graph: who needs whom, in which order they start, and what became of each.
 *
 * <p>Engines know nothing of it. A {@link PluginSpec} names one and says how to make it from what
 * other plug-ins made; {@link PluginGraph} starts them, keeps going when an optional one fails, and
 * closes them in reverse.
 */
@NullMarked
package io.jcontainerd.daemon.graph;

import org.jspecify.annotations.NullMarked;
