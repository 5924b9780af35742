package io.jcontainerd.core.check;

/** What can be wrong with a file, blob or record. */
public enum Damage {
  /** It has the right size and other bytes. */
  CONTENT("contents differ"),
  /** It has another size. */
  SIZE("wrong size"),
  /** It is not there. */
  MISSING("missing"),
  /** It is there and should not be. */
  EXTRA("extra"),
  /** It is of another kind. */
  TYPE("wrong type"),
  /** Its permission bits differ. */
  MODE("wrong mode"),
  /** Its user or group differs. */
  OWNER("wrong owner"),
  /** Its extended attributes differ. */
  ATTRIBUTES("wrong attributes"),
  /** It points elsewhere. */
  TARGET("wrong link target"),
  /** It is another device. */
  DEVICE("wrong device"),
  /** It was changed at another time. */
  TIME("wrong time"),
  /** It is no longer one file with its other name. */
  LINK("hard link broken"),
  /** What was recorded of it cannot be used. */
  RECORD("record damaged");

  private final String words;

  Damage(String words) {
    this.words = words;
  }

  /** For people. */
  public String words() {
    return words;
  }
}
