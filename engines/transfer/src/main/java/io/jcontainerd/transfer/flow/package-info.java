/** Work that is limited, shared, and ended together. */
package io.jcontainerd.transfer.flow;
