package io.jcontainerd.wire;

import io.jcontainerd.api.services.content.v1.Info;
import io.jcontainerd.api.services.content.v1.Status;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.IngestStatus;
import java.util.Optional;

/** Blobs, ingests and their messages. */
public final class Contents {
  private Contents() {}

  /** What is known of a blob, as a message. */
  public static Info toApi(ContentInfo info) {
    return Info.newBuilder()
        .setDigest(info.digest().toString())
        .setSize(info.size())
        .setCreatedAt(Times.toApi(info.createdAt()))
        .setUpdatedAt(Times.toApi(info.updatedAt()))
        .putAllLabels(info.labels())
        .build();
  }

  /**
   * A message as what is known of a blob; absent times are the epoch.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the digest is none
   */
  public static ContentInfo toCore(Info message) {
    return new ContentInfo(
        Digest.parse(message.getDigest()),
        message.getSize(),
        Times.toCore(message.getCreatedAt()),
        Times.toCore(message.getUpdatedAt()),
        message.getLabelsMap());
  }

  /** How far an ingest is, as a message. */
  public static Status toApi(IngestStatus status) {
    return Status.newBuilder()
        .setRef(status.ref())
        .setOffset(status.offset())
        .setTotal(status.total())
        .setExpected(status.expected().map(Digest::toString).orElse(""))
        .setStartedAt(Times.toApi(status.startedAt()))
        .setUpdatedAt(Times.toApi(status.updatedAt()))
        .build();
  }

  /**
   * A message as how far an ingest is.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the expected digest is none
   */
  public static IngestStatus toCore(Status message) {
    return new IngestStatus(
        message.getRef(),
        message.getOffset(),
        message.getTotal(),
        digest(message.getExpected()),
        Times.toCore(message.getStartedAt()),
        Times.toCore(message.getUpdatedAt()));
  }

  /**
   * An optional digest: the empty text is none.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the text is neither
   */
  public static Optional<Digest> digest(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Digest.parse(text));
  }
}
