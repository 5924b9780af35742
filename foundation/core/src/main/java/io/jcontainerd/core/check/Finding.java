package io.jcontainerd.core.check;

import java.util.List;

/**
 * Damage that was found, and what came of it.
 *
 * @param subject what kind of thing is damaged
 * @param name a digest, {@code SNAPSHOTTER/KEY}, or the words for a record
 * @param namespaces whose it is
 * @param path within a layer; empty otherwise
 * @param damage what is wrong
 * @param detail expected and found; may be empty
 * @param outcome what was done
 * @param advice why it was not healed and what to do next; empty if nothing is to be done
 */
public record Finding(
    Subject subject,
    String name,
    List<String> namespaces,
    String path,
    Damage damage,
    String detail,
    Outcome outcome,
    String advice) {

  /** What can be damaged. */
  public enum Subject {
    /** A blob of the content store. */
    BLOB,
    /** A committed snapshot. */
    LAYER,
    /** A record that refers to nothing. */
    RECORD
  }

  /** What came of it. */
  public enum Outcome {
    /** It was only looked at. */
    FOUND,
    /** It is as it should be again. */
    HEALED,
    /** It could not be healed and is not served any more. */
    SET_ASIDE,
    /** It could not be healed. */
    LEFT
  }

  /** Copies the list. */
  public Finding {
    namespaces = List.copyOf(namespaces);
  }

  /** The same with another outcome. */
  public Finding with(Outcome what, String next) {
    return new Finding(subject, name, namespaces, path, damage, detail, what, next);
  }
}
