/**
 * containerd's services, complete in behaviour, over the interfaces of core.
 *
 * <p>A service turns messages into core's records, asks core, and turns the answer back. What is
 * stored, checked or run is decided behind the interface; what only the protocol knows (blocks of a
 * list, the steps of a content write, which differ is asked next) is decided here. {@link
 * io.jcontainerd.services.Services} is the entry.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.services;
