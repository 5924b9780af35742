package io.jcontainerd.crash.disk;

/**
 * What a client knows from here on.
 *
 * @param what a thing in words, such as {@code blob sha256:…}
 * @param kind what it was told of it
 */
public record Told(String what, Kind kind) implements Step {
  /** What a client can know of a thing. */
  public enum Kind {
    /** It is there, and survives whatever comes. */
    PROMISED,
    /** Somebody has begun to remove it: it may be there or not. */
    RELEASED,
    /** It is gone for good. */
    GONE
  }
}
