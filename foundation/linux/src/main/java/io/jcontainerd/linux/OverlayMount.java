package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.MountCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Mounts an overlay however many lower folders it has.
 *
 * <p>mount(2) takes one page of options. When they are longer, the lower folders are named relative
 * to the folder that they have in common, which becomes the working folder of a thread made for
 * this (a working folder of its own is what CLONE_FS gives it). When even that is too long, each
 * folder is handed over by a call of its own ({@code lowerdir+}, Linux 6.7 and later).
 */
final class OverlayMount {
  private static final String LOWER = "lowerdir=";

  /** Longest text that fsconfig(2) takes, its NUL included. */
  private static final int FSCONFIG_TEXT = 256;

  private static final Map<Long, Long> ATTRIBUTES =
      Map.of(
          MountCalls.MS_RDONLY, MountCalls.MOUNT_ATTR_RDONLY,
          MountCalls.MS_NOSUID, MountCalls.MOUNT_ATTR_NOSUID,
          MountCalls.MS_NODEV, MountCalls.MOUNT_ATTR_NODEV,
          MountCalls.MS_NOEXEC, MountCalls.MOUNT_ATTR_NOEXEC,
          MountCalls.MS_NOATIME, MountCalls.MOUNT_ATTR_NOATIME,
          MountCalls.MS_NODIRATIME, MountCalls.MOUNT_ATTR_NODIRATIME,
          MountCalls.MS_STRICTATIME, MountCalls.MOUNT_ATTR_STRICTATIME,
          MountCalls.MS_NOSYMFOLLOW, MountCalls.MOUNT_ATTR_NOSYMFOLLOW);

  private OverlayMount() {}

  static void mount(String source, Path target, long flags, List<String> data) throws IOException {
    if (fits(data)) {
      MountCalls.mount(raw(source), raw(target.toString()), "overlay", flags, text(data));
      return;
    }
    List<String> lowers = lowers(data);
    if (lowers.size() < 2 || !lowers.stream().allMatch(lower -> lower.startsWith("/"))) {
      throw new IOException("mount options of " + target + " are longer than a page");
    }
    Path common = common(lowers);
    List<String> relative = lowers.stream().map(lower -> relative(common, Path.of(lower))).toList();
    List<String> shorter = new ArrayList<>();
    for (String option : data) {
      shorter.add(
          option.startsWith(LOWER)
              ? LOWER + String.join(":", relative.stream().map(OverlayMount::escape).toList())
              : option);
    }
    Path absolute = target.toAbsolutePath();
    Boolean _ =
        Blocking.onThread(
            "mount",
            () -> {
              MountCalls.unshareFs();
              MountCalls.chdir(raw(common.toString()));
              if (fits(shorter)) {
                byte[] place = raw(absolute.toString());
                MountCalls.mount(raw(source), place, "overlay", flags, text(shorter));
              } else {
                configure(source, absolute, flags, data, relative);
              }
              return Boolean.TRUE;
            });
  }

  /** The lower folders that an option list names, topmost first, escapes resolved. */
  static List<String> lowers(List<String> data) {
    List<String> lowers = new ArrayList<>();
    for (String option : data) {
      if (option.startsWith(LOWER)) {
        StringBuilder name = new StringBuilder();
        for (int i = LOWER.length(); i < option.length(); i++) {
          char c = option.charAt(i);
          if (c == '\\' && i + 1 < option.length()) {
            i++;
            name.append(option.charAt(i));
          } else if (c == ':') {
            lowers.add(name.toString());
            name.setLength(0);
          } else {
            name.append(c);
          }
        }
        lowers.add(name.toString());
      }
    }
    return lowers;
  }

  static String escape(String lower) {
    return lower.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }

  /** The deepest folder that holds all of them. */
  static Path common(List<String> lowers) {
    Path common = parent(Path.of(lowers.getFirst()));
    for (String lower : lowers) {
      while (!Path.of(lower).startsWith(common)) {
        common = parent(common);
      }
    }
    return common;
  }

  private static Path parent(Path path) {
    return Objects.requireNonNullElse(path.getParent(), Path.of("/"));
  }

  private static String relative(Path common, Path lower) {
    String name = common.relativize(lower).toString();
    return name.isEmpty() ? "." : name;
  }

  private static boolean fits(List<String> data) {
    return text(data).length < MountCalls.pageSize();
  }

  private static byte[] text(List<String> data) {
    return raw(String.join(",", data));
  }

  private static byte[] raw(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** With the calls that take one option each. */
  private static void configure(
      String source, Path target, long flags, List<String> data, List<String> lowers)
      throws IOException {
    int context = MountCalls.fsopen("overlay");
    try {
      MountCalls.fsconfigString(context, "source", raw(source));
      for (String lower : lowers) {
        set(context, "lowerdir+", lower);
      }
      for (String option : data) {
        int equals = option.indexOf('=');
        if (option.startsWith(LOWER)) {
          continue;
        }
        if (equals < 0) {
          MountCalls.fsconfigFlag(context, option);
        } else {
          set(context, option.substring(0, equals), option.substring(equals + 1));
        }
      }
      if ((flags & MountCalls.MS_RDONLY) != 0) {
        MountCalls.fsconfigFlag(context, "ro");
      }
      MountCalls.fsconfigCreate(context);
      int mount = MountCalls.fsmount(context, attributes(flags));
      try {
        MountCalls.move_mount(mount, raw(target.toString()));
      } finally {
        DescriptorCalls.close(mount);
      }
    } finally {
      DescriptorCalls.close(context);
    }
  }

  private static void set(int context, String key, String value) throws IOException {
    byte[] text = raw(value);
    if (text.length >= FSCONFIG_TEXT) {
      throw new IOException("overlay option " + key + "=" + value + " is longer than 255 bytes");
    }
    MountCalls.fsconfigString(context, key, text);
  }

  private static long attributes(long flags) {
    long attributes = 0;
    for (Map.Entry<Long, Long> attribute : ATTRIBUTES.entrySet()) {
      if ((flags & attribute.getKey()) != 0) {
        attributes |= attribute.getValue();
      }
    }
    return attributes;
  }
}
