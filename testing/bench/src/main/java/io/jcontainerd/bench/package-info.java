/**
 * Two daemons side by side: start, containers, exec and memory, storage and pulls, as ratios.
 *
 * <p>Runs alternate between the two, so that both meet the same machine; what is printed are
 * medians and their ratio. Everything that is started or made is ended and removed at the end.
 */
@NullMarked
package io.jcontainerd.bench;

import org.jspecify.annotations.NullMarked;
