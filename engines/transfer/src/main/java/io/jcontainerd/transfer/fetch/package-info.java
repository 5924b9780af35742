/**
 * The bytes of one blob, from a registry into an ingest.
 *
 * <p>Each connection is a {@link io.jcontainerd.transfer.fetch.Line} with a thread that reads and a
 * buffer of bounded size; the thread that owns the ingest takes the bytes in order, so that hashing
 * and writing go on while others read. A blob begins with one line over all of it. When that line
 * is what everybody waits for, and the registry gives parts, several lines fetch the next parts at
 * the same time; as many as make it faster, and no more.
 */
package io.jcontainerd.transfer.fetch;
