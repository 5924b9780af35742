package io.jcontainerd.client;

/**
 * One piece of news about a pull or a push.
 *
 * @param item what it is about: a reference for the whole, a digest for a part
 * @param stage where that is
 * @param done bytes so far; 0 where bytes do not matter
 * @param total bytes in all; 0 where they do not matter
 */
public record Progress(String item, Stage stage, long done, long total) {
  /** Where a part is. A part goes through some of them, downwards. */
  public enum Stage {
    /** The name is being looked up. */
    RESOLVING,
    /** It will be worked on. */
    WAITING,
    /** It was there already. */
    PRESENT,
    /** Bytes are coming or going. */
    TRANSFERRING,
    /** All bytes are there and verified. */
    TRANSFERRED,
    /** The layer is being unpacked. */
    UNPACKING,
    /** The layer is unpacked. */
    UNPACKED,
    /** The whole is finished. */
    DONE
  }

  /** Hears the news, from several threads at once; it must not block for long. */
  @FunctionalInterface
  public interface Listener {
    /** Hears nothing. */
    Listener NONE = _ -> {};

    /** One piece of news. */
    void progress(Progress news);
  }
}
