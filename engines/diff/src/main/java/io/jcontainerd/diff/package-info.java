/** Layers into a tree, and out of the difference of two. */
package io.jcontainerd.diff;
