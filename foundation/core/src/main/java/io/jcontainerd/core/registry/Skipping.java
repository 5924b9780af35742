package io.jcontainerd.core.registry;

/**
 * A stream before whose bytes others may come that nobody asked for, because the other side gives
 * nothing but the whole. They come while the stream is read, which may take long, and show that the
 * other side lives.
 */
public interface Skipping {
  /** How many bytes were passed over so far. May be asked by any thread. */
  long skipped();
}
