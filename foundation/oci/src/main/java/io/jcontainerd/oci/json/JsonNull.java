package io.jcontainerd.oci.json;

/** The JSON value {@code null}, which is not the same as an absent field. */
public enum JsonNull implements Json {
  /** The only one. */
  NULL;

  @Override
  public String toString() {
    return "null";
  }
}
