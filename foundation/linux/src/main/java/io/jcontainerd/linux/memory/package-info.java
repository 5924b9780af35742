/** What this process holds of the machine's memory, and giving it back. */
package io.jcontainerd.linux.memory;
