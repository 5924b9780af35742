package io.jcontainerd.endure;

import java.util.Locale;

/** What a client is waiting for. */
enum Stage {
  NOTHING,
  RECORD,
  CREATE,
  START,
  EXEC,
  WAIT,
  KILL,
  DELETE;

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
