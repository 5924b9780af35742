package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A way to pull: a daemon and a client.
 *
 * @param title what it is called in tables
 * @param daemon that has the image then
 * @param client the words of the client, before those of the image
 */
record Puller(String title, Subject daemon, List<String> client) {
  Puller {
    client = List.copyOf(client);
  }

  /** By our client, which has the daemon do everything. */
  static Puller jctr(String title, Subject daemon, Path jctr) {
    return new Puller(
        title,
        daemon,
        List.of(
            jctr.toString(),
            "-a",
            daemon.socket().toString(),
            "pull",
            "-n",
            Subject.NAMESPACE,
            "--quiet",
            "--plain-http"));
  }

  /** By a {@code ctr}; that of release 1.6 fetches by itself and hands everything to the daemon. */
  static Puller ctr(String title, Subject daemon, String ctr) {
    return new Puller(
        title,
        daemon,
        List.of(
            ctr,
            "-a",
            daemon.socket().toString(),
            "-n",
            Subject.NAMESPACE,
            "images",
            "pull",
            "--plain-http"));
  }

  void pull(String reference, String... flags) throws IOException, InterruptedException {
    var line = new ArrayList<>(client);
    line.addAll(List.of(flags));
    line.add(reference);
    Commands.run(line);
  }

  /** What the file system still has in memory is written when this returns. */
  void sync() throws IOException, InterruptedException {
    Commands.run(List.of("sync", "-f", daemon.folder().toString()));
  }

  /** Removes an image with everything that came with it; the daemon has nothing then. */
  void forget(String reference) throws IOException, InterruptedException {
    daemon.ctr("images", "rm", "--sync", reference);
    String blobs = daemon.ctr("content", "ls", "-q").strip();
    List<String> snapshots = daemon.ctr("snapshots", "ls").lines().skip(1).toList();
    if (!blobs.isEmpty() || !snapshots.isEmpty()) {
      throw new IOException(
          daemon.name() + " still has after " + reference + ": " + blobs + " " + snapshots);
    }
  }
}
