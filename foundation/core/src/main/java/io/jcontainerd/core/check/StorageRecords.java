package io.jcontainerd.core.check;

import io.jcontainerd.core.Digest;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is recorded of everybody's things, whatever the namespace. Safe for many threads. */
public interface StorageRecords {
  /**
   * A blob that somebody has.
   *
   * @param size in bytes
   * @param namespaces whose it is
   * @param labels of all of them together
   * @param mediaType as an image tells it; empty if none does
   */
  record Blob(
      Digest digest,
      long size,
      List<String> namespaces,
      Map<String, String> labels,
      String mediaType) {}

  /**
   * A snapshot that somebody has.
   *
   * @param key as its owner calls it
   * @param backendKey as the snapshotter calls it
   */
  record Snapshot(String namespace, String snapshotter, String key, String backendKey) {}

  /**
   * A record that refers to one that is not there.
   *
   * @param kind such as {@code container}
   * @param missing what it refers to
   */
  record Dangling(String namespace, String kind, String name, String missing) {}

  /**
   * Blobs in order of digest, without labels and media types: there may be very many.
   *
   * @param after the digest to go on after; empty for the beginning
   * @param most how many
   */
  List<Blob> blobs(String after, int most);

  /** How many blobs follow a digest. */
  long blobCount(String after);

  /** One blob, if anybody has it. */
  Optional<Blob> blob(Digest digest);

  /** Keeps the garbage collection off something until closed. */
  interface Hold extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Keeps the garbage collection off a blob that is brought again and off the ingest that does it,
   * which is recorded nowhere. What a dead process left is held by nobody, and collected.
   *
   * @param ref of the ingest, in the backend
   */
  Hold holding(Digest digest, String ref);

  /**
   * Registries of a host, with their ports, as the names of images tell them. The label that
   * clients write on what they pulled ({@link io.jcontainerd.core.Labels#DISTRIBUTION_SOURCE}) has
   * the host alone.
   *
   * @param host without a port
   */
  List<String> registries(String host);

  /** Every snapshot that is not being committed, in order of snapshotter and backend key. */
  List<Snapshot> snapshots();

  /** What is wrong with the file that the records are in; reads all of it. */
  List<String> damages();

  /** Records that refer to what is not there. */
  List<Dangling> dangling();
}
