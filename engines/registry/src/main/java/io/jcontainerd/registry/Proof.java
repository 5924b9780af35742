package io.jcontainerd.registry;

import java.time.Instant;

/**
 * What proves to a registry who we are.
 *
 * @param header the value of {@code Authorization}
 * @param until when it ends
 * @param who as whom, for messages
 * @param anything whether it proves it for whatever is asked, and not for some scopes only
 */
record Proof(String header, Instant until, String who, boolean anything) {
  @Override
  public String toString() {
    return "Proof[" + who + "]";
  }
}
