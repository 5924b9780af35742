/**
 * Misbehaviour on demand: the n-th call of a port fails, or the process dies there.
 *
 * <p>A scenario is run once without faults to count its calls, and then once for every call.
 */
package io.jcontainerd.testkit.faults;
