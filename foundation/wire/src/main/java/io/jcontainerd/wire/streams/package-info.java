/**
 * Streams that other calls refer to by their id ({@code containerd.services.streaming.v1}), and
 * bytes over them. Both ends use the same code; how messages travel is theirs.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.wire.streams;
