/** Every call of a port fails in turn, in every scenario: what is told, and what is left. */
package io.jcontainerd.crash.faults;
