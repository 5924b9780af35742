/**
 * Shims from the outside: finding their programs, starting them, reading what they answer, speaking
 * their task API and cleaning up after them. A shim is known by a program and an address only; what
 * stands behind it may be ours or anybody's.
 */
package io.jcontainerd.runtime.shim;
