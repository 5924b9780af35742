package io.jcontainerd.oci.json;

/** A JSON truth value. */
public enum JsonBoolean implements Json {
  /** {@code true}. */
  TRUE,
  /** {@code false}. */
  FALSE;

  /** The Java value. */
  public boolean value() {
    return this == TRUE;
  }

  @Override
  public String toString() {
    return value() ? "true" : "false";
  }
}
