/** Trees of files, described so that they can be compared. */
package io.jcontainerd.testkit.tree;
