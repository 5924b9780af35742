/** The tar format and nothing else. */
package io.jcontainerd.diff.tar;
