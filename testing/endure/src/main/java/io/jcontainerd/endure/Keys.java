package io.jcontainerd.endure;

/** The keys of a ledger; parts are joined by bars, which no name has. */
final class Keys {
  private Keys() {}

  /** What a worker is at: words that say it again. */
  static String plan(String worker) {
    return "plan|" + worker;
  }

  /** An image by name: {@code NUMBER GENERATION}. */
  static String image(String namespace, String name) {
    return "image|" + namespace + "|" + name;
  }

  /** That an image's config says that it is unpacked: {@code yes}. */
  static String unpacked(String namespace, int number, String snapshotter) {
    return "unpacked|" + namespace + "|" + number + "|" + snapshotter;
  }

  /** A lease: {@code held}. */
  static String lease(String namespace, String id) {
    return "lease|" + namespace + "|" + id;
  }

  /** A blob that a lease keeps: {@code there}. */
  static String blob(String namespace, String lease, String digest) {
    return "blob|" + namespace + "|" + lease + "|" + digest;
  }

  /** A committed layer that a lease keeps: {@code there}. */
  static String layer(String namespace, String lease, String snapshotter, String chain) {
    return "layer|" + namespace + "|" + lease + "|" + snapshotter + "|" + chain;
  }

  /** An ingest: how many bytes. */
  static String ingest(String namespace, String ref) {
    return "ingest|" + namespace + "|" + ref;
  }

  /** A snapshot that somebody made by hand on an image: {@code NUMBER STEP}. */
  static String step(String namespace, String snapshotter, String name) {
    return "step|" + namespace + "|" + snapshotter + "|" + name;
  }

  /** A container: {@code there}, or {@code going} once its removal has begun. */
  static String container(String namespace, String id) {
    return "container|" + namespace + "|" + id;
  }

  /** A task that was started: {@code PID STATUS}, the status being that with which it will end. */
  static String task(String namespace, String id) {
    return "task|" + namespace + "|" + id;
  }

  /** The part of a key. */
  static String part(String key, int index) {
    return key.split("\\|", -1)[index];
  }
}
