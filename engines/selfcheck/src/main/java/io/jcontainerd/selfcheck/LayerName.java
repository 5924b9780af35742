package io.jcontainerd.selfcheck;

/**
 * A layer of this machine.
 *
 * @param snapshotter whose it is
 * @param key in the backend
 */
record LayerName(String snapshotter, String key) {
  @Override
  public String toString() {
    return snapshotter + "/" + key;
  }
}
