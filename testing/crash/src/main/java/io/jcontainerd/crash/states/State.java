package io.jcontainerd.crash.states;

import io.jcontainerd.crash.disk.Disk;
import io.jcontainerd.crash.disk.Told;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a crash left.
 *
 * @param commits transactions that the store has
 * @param boot the boot that the daemon starts in next; that of the scenario if only the daemon died
 * @param told what clients knew
 * @param how which crash this is, in words
 */
record State(
    Recorded recorded, int commits, Disk disk, String boot, List<Told> told, Supplier<String> how) {

  /** Tells states apart that a daemon can tell apart. */
  String identity() {
    try {
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      hash.update(
          (recorded.scenario().name() + " " + commits + " " + boot)
              .getBytes(StandardCharsets.UTF_8));
      disk.hash(hash);
      return HexFormat.of().formatHex(hash.digest(), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("the JDK has SHA-256", e);
    }
  }
}
