/**
 * The crash-state enumerator: records scenarios, makes every state of the disk and of the store
 * that a power cut or a kill may leave of them, and sees in each whether the daemon recovers.
 */
package io.jcontainerd.crash.states;
