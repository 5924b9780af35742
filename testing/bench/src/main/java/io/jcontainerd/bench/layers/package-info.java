/** Layers for images that are measured: a tree's archive cut in parts, and files made up. */
@NullMarked
package io.jcontainerd.bench.layers;

import org.jspecify.annotations.NullMarked;
