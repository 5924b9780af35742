/**
 * Moves images. Every step goes through an interface of core: this room knows only which step comes
 * when, what may happen at the same time, and who else waits for the same.
 */
package io.jcontainerd.transfer;
