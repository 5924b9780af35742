/** A layer's files in a tree: names resolved without ever leaving it, entries put in. */
package io.jcontainerd.diff.tree;
