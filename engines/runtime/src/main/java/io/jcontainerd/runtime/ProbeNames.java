package io.jcontainerd.runtime;

import io.jcontainerd.linux.cgroup.CgroupRemoval;
import io.jcontainerd.linux.process.ProcessIdentity;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the containers are called with which OCI runtimes are tried: {@code
 * jcontainerd-probe-SPACE-PID-START-RANDOM}, for the process that tries. Their control groups have
 * the same names, so that any daemon of the machine can tell those whose process was killed, even
 * when nothing else is left of it. Numbers of processes mean nothing in another namespace, which is
 * why it is named, too.
 */
final class ProbeNames {
  static final String PREFIX = "jcontainerd-probe-";

  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final Pattern NAME = Pattern.compile(PREFIX + "(\\d+)-(\\d+)-(\\d+)-[0-9a-f]+");
  private static final Path OWN_SPACE = Path.of("/proc/self/ns/pid");

  private ProbeNames() {}

  /** A new one, of this process. */
  static String next() throws IOException {
    ProcessIdentity self =
        ProcessIdentity.of((int) ProcessHandle.current().pid())
            .orElseThrow(() -> new IOException("/proc does not know this process"));
    return of(self);
  }

  static String of(ProcessIdentity owner) throws IOException {
    return PREFIX
        + space()
        + "-"
        + owner.pid()
        + "-"
        + owner.startTicks()
        + "-"
        + UUID.randomUUID().toString().substring(0, 8);
  }

  /** The number in {@code pid:[4026531836]}. */
  private static String space() throws IOException {
    return Files.readSymbolicLink(OWN_SPACE).toString().replaceAll("\\D", "");
  }

  /** Removes the control groups of processes that are gone, as far as nothing is in them. */
  static void clearGroups() {
    try {
      for (Path group : CgroupRemoval.named(PREFIX)) {
        Optional<ProcessIdentity> owner = owner(group.getFileName().toString());
        if (owner.isPresent() && !owner.get().isRunning() && CgroupRemoval.removeEmpty(group)) {
          LOG.log(Level.INFO, "{0}, which a killed process left, is removed", group);
        }
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot clear control groups of former proofs", e);
    }
  }

  /** Who made it; empty if that cannot be told here. */
  private static Optional<ProcessIdentity> owner(String name) throws IOException {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches() || !parts.group(1).equals(space())) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new ProcessIdentity(Integer.parseInt(parts.group(2)), Long.parseLong(parts.group(3))));
    } catch (NumberFormatException e) {
      LOG.log(Level.DEBUG, "not one of ours: " + name, e);
      return Optional.empty();
    }
  }
}
