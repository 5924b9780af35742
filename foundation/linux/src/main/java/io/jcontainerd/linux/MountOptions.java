package io.jcontainerd.linux;

import static java.util.Map.entry;

import io.jcontainerd.linux.libc.MountCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a list of options in the words of mount(8) asks for.
 *
 * @param flags for mount(2), without propagation
 * @param propagation one change of propagation per element, in order
 * @param loop whether the source is a file to be put behind a loop device
 * @param uids mapping of an id-mapped mount; with {@code gids} or not at all
 * @param gids mapping of an id-mapped mount
 * @param data what is left for the file system, order kept
 */
record MountOptions(
    long flags,
    List<Long> propagation,
    boolean loop,
    Optional<List<IdRange>> uids,
    Optional<List<IdRange>> gids,
    List<String> data) {

  /** Flags of one mount rather than of its file system; a bind mount gets them by a remount. */
  static final long PER_MOUNT =
      MountCalls.MS_RDONLY
          | MountCalls.MS_NOSUID
          | MountCalls.MS_NODEV
          | MountCalls.MS_NOEXEC
          | MountCalls.MS_NOATIME
          | MountCalls.MS_NODIRATIME
          | MountCalls.MS_RELATIME
          | MountCalls.MS_STRICTATIME
          | MountCalls.MS_NOSYMFOLLOW;

  private record Flag(boolean clear, long bits) {}

  private static final Map<String, Flag> FLAGS =
      Map.ofEntries(
          entry("async", new Flag(true, MountCalls.MS_SYNCHRONOUS)),
          entry("atime", new Flag(true, MountCalls.MS_NOATIME)),
          entry("bind", new Flag(false, MountCalls.MS_BIND)),
          entry("defaults", new Flag(false, 0)),
          entry("dev", new Flag(true, MountCalls.MS_NODEV)),
          entry("diratime", new Flag(true, MountCalls.MS_NODIRATIME)),
          entry("dirsync", new Flag(false, MountCalls.MS_DIRSYNC)),
          entry("exec", new Flag(true, MountCalls.MS_NOEXEC)),
          entry("lazytime", new Flag(false, MountCalls.MS_LAZYTIME)),
          entry("mand", new Flag(false, MountCalls.MS_MANDLOCK)),
          entry("noatime", new Flag(false, MountCalls.MS_NOATIME)),
          entry("nodev", new Flag(false, MountCalls.MS_NODEV)),
          entry("nodiratime", new Flag(false, MountCalls.MS_NODIRATIME)),
          entry("noexec", new Flag(false, MountCalls.MS_NOEXEC)),
          entry("nolazytime", new Flag(true, MountCalls.MS_LAZYTIME)),
          entry("nomand", new Flag(true, MountCalls.MS_MANDLOCK)),
          entry("norelatime", new Flag(true, MountCalls.MS_RELATIME)),
          entry("nostrictatime", new Flag(true, MountCalls.MS_STRICTATIME)),
          entry("nosuid", new Flag(false, MountCalls.MS_NOSUID)),
          entry("nosymfollow", new Flag(false, MountCalls.MS_NOSYMFOLLOW)),
          entry("rbind", new Flag(false, MountCalls.MS_BIND | MountCalls.MS_REC)),
          entry("relatime", new Flag(false, MountCalls.MS_RELATIME)),
          entry("remount", new Flag(false, MountCalls.MS_REMOUNT)),
          entry("ro", new Flag(false, MountCalls.MS_RDONLY)),
          entry("rw", new Flag(true, MountCalls.MS_RDONLY)),
          entry("strictatime", new Flag(false, MountCalls.MS_STRICTATIME)),
          entry("suid", new Flag(true, MountCalls.MS_NOSUID)),
          entry("sync", new Flag(false, MountCalls.MS_SYNCHRONOUS)));

  private static final Map<String, Long> PROPAGATION =
      Map.of(
          "private",
          MountCalls.MS_PRIVATE,
          "rprivate",
          MountCalls.MS_PRIVATE | MountCalls.MS_REC,
          "shared",
          MountCalls.MS_SHARED,
          "rshared",
          MountCalls.MS_SHARED | MountCalls.MS_REC,
          "slave",
          MountCalls.MS_SLAVE,
          "rslave",
          MountCalls.MS_SLAVE | MountCalls.MS_REC,
          "unbindable",
          MountCalls.MS_UNBINDABLE,
          "runbindable",
          MountCalls.MS_UNBINDABLE | MountCalls.MS_REC);

  MountOptions {
    propagation = List.copyOf(propagation);
    data = List.copyOf(data);
    if (uids.isPresent() != gids.isPresent()) {
      throw new IllegalArgumentException("mount options uidmap and gidmap must come together");
    }
  }

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException for a malformed id mapping and for an option of containerd's
   *     own that somebody should have acted on before
   */
  static MountOptions parse(List<String> options) {
    long flags = 0;
    boolean loop = false;
    List<Long> propagation = new ArrayList<>();
    List<String> data = new ArrayList<>();
    Optional<List<IdRange>> uids = Optional.empty();
    Optional<List<IdRange>> gids = Optional.empty();
    for (String option : options) {
      Flag flag = FLAGS.get(option);
      Long change = PROPAGATION.get(option);
      if (flag != null) {
        flags = flag.clear() ? flags & ~flag.bits() : flags | flag.bits();
      } else if (change != null) {
        propagation.add(change);
      } else if (option.equals("loop")) {
        loop = true;
      } else if (option.startsWith("uidmap=")) {
        uids = Optional.of(IdRange.parse(option.substring("uidmap=".length())));
      } else if (option.startsWith("gidmap=")) {
        gids = Optional.of(IdRange.parse(option.substring("gidmap=".length())));
      } else if (option.startsWith("X-containerd.")) {
        throw new IllegalArgumentException("mount option " + option + " was not handled");
      } else if (!option.isEmpty()) {
        data.add(option);
      }
    }
    return new MountOptions(flags, propagation, loop, uids, gids, data);
  }

  boolean has(long bits) {
    return (flags & bits) == bits;
  }

  /** The options for the file system in mount(2)'s form. */
  String dataText() {
    return String.join(",", data);
  }

  MountOptions withFlags(long newFlags) {
    return new MountOptions(newFlags, propagation, loop, uids, gids, data);
  }
}
