/**
 * ttrpc, the small RPC protocol between a container daemon and its shims.
 *
 * <p>One stream connection carries many calls at once. Everything on it is a frame: a ten byte
 * header followed by at most {@value io.jcontainerd.ttrpc.Frame#MAX_DATA} bytes.
 *
 * <pre>
 *   byte 0..3   length of the data, big endian
 *   byte 4..7   stream id, big endian; odd, increasing, never used twice on a connection
 *   byte 8      1 request | 2 response | 3 data of a stream
 *   byte 9      flags: 1 the sender sends no more, 2 the sender will send more, 4 no data
 * </pre>
 *
 * <p>Requests and responses are protobuf messages ({@code ttrpc.Request}, {@code ttrpc.Response})
 * around the payload; data frames are the bare message. Status numbers are those of gRPC. There is
 * no handshake, no keep-alive and no flow control: the end of the connection is the news that the
 * peer died.
 *
 * <p>{@link io.jcontainerd.ttrpc.TtrpcClient} calls, {@link io.jcontainerd.ttrpc.TtrpcServer}
 * serves {@link io.jcontainerd.ttrpc.TtrpcService}s. Both block the calling thread, which is meant
 * to be a virtual one.
 */
package io.jcontainerd.ttrpc;
