package io.jcontainerd.core.transfer;

import io.jcontainerd.core.Descriptor;
import java.util.List;
import java.util.Optional;

/**
 * How far a transfer is ({@code Progress}).
 *
 * @param event what happens, see {@link Event}
 * @param name of what it happens to, such as an image or {@code layer-sha256:…}; may be empty
 * @param parents names of what that is part of
 * @param progress bytes done
 * @param total bytes in all; 0 when unknown
 * @param descriptor what the name stands for
 */
public record TransferProgress(
    String event,
    String name,
    List<String> parents,
    long progress,
    long total,
    Optional<Descriptor> descriptor) {
  /** Copies the parents. */
  public TransferProgress {
    parents = List.copyOf(parents);
  }

  /** An event of the transfer as a whole. */
  public TransferProgress(String event) {
    this(event, "", List.of(), 0, 0, Optional.empty());
  }

  /** The words of {@link #event} that clients know. */
  public static final class Event {
    /** Will begin when others have ended. */
    public static final String WAITING = "waiting";

    /** Bytes come. */
    public static final String DOWNLOADING = "downloading";

    /** Bytes go. */
    public static final String UPLOADING = "uploading";

    /** All bytes came or went. */
    public static final String COMPLETE = "complete";

    /** Nothing had to be moved. */
    public static final String ALREADY_EXISTS = "already exists";

    /** Is being unpacked. */
    public static final String EXTRACTING = "extracting";

    /** Was unpacked. */
    public static final String EXTRACTED = "extracted";

    /** Is being brought into another form. */
    public static final String CONVERTING = "converting";

    /** Has another form. */
    public static final String CONVERTED = "converted";

    /** A name was written; it is the event's name. */
    public static final String SAVED = "saved";

    /** The documents of the image are known, its content comes. */
    public static final String FETCHING = "fetching image content";

    /** The content goes. */
    public static final String PUSHING = "pushing content";

    /** The content went. */
    public static final String PUSHED = "pushed content";

    private Event() {}
  }
}
