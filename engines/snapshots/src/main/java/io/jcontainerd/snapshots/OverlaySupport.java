package io.jcontainerd.snapshots;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What this machine's overlay file system can do.
 *
 * @param indexOff whether {@code index=off} is known and has to be said
 * @param userxattr whether {@code userxattr} has to be said, for lack of rights to {@code
 *     trusted.*}
 * @param userNamespace whether the daemon is not the machine's root
 * @param idMapped whether layers can be shown under other owners
 */
public record OverlaySupport(
    boolean indexOff, boolean userxattr, boolean userNamespace, boolean idMapped) {

  private static final Logger LOG = System.getLogger(OverlaySupport.class.getName());
  private static final Path INDEX = Path.of("/sys/module/overlay/parameters/index");
  private static final Path UID_MAP = Path.of("/proc/self/uid_map");
  private static final long TMPFS = 0x01021994;
  private static final String WHOLE_MAP = "0 0 4294967295";

  /**
   * Looks at the machine by trying, in a folder below the root that is removed again.
   *
   * @throws io.jcontainerd.core.failure.ContainerdException if the overlay file system does not
   *     work there at all; the message says why
   */
  public static OverlaySupport probe(Path root, Files files, Kernel kernel) {
    Path folder = root.resolve("probe-" + ProcessHandle.current().pid());
    try {
      files.createDirectories(root, 0700);
      for (String left : files.list(root)) {
        if (left.startsWith("probe-")) {
          kernel.detachAll(root.resolve(left).resolve("merged"));
          files.deleteTree(root.resolve(left));
        }
      }
      for (String name : new String[] {"one", "two", "upper", "work", "merged"}) {
        files.createDirectories(folder.resolve(name), 0700);
      }
      boolean inNamespace = inUserNamespace(files);
      boolean userxattr = inNamespace && kernel.space(root).magic() != TMPFS;
      List<String> extra = userxattr ? List.of("userxattr") : List.of();
      IOException failure = attempt(folder, kernel, extra);
      if (failure != null) {
        throw new IOException("the overlay file system does not work here", failure);
      }
      List<String> mapped = new ArrayList<>(List.of("uidmap=0:65534:1", "gidmap=0:65534:1"));
      mapped.addAll(extra);
      IOException notMapped = attempt(folder, kernel, mapped);
      if (notMapped != null) {
        LOG.log(Level.INFO, "overlay layers cannot be id-mapped here: {0}", notMapped.getMessage());
      }
      return new OverlaySupport(
          files.stat(INDEX).isPresent(), userxattr, inNamespace, notMapped == null);
    } catch (NoSpaceException e) {
      return onFullDisk(root, files, kernel, e);
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter overlayfs: probe " + folder, e);
    } finally {
      try {
        if (files.stat(folder).isPresent()) {
          files.deleteTree(folder);
        }
      } catch (IOException e) {
        LOG.log(Level.WARNING, "cannot remove " + folder + ", the next start will", e);
      }
    }
  }

  /** What is there must be seen and removed on a full disk, too: it worked when it was made. */
  private static OverlaySupport onFullDisk(
      Path root, Files files, Kernel kernel, NoSpaceException full) {
    LOG.log(
        Level.WARNING,
        "no room to try the overlay file system: taken to work, without id-mapped layers",
        full);
    try {
      boolean inNamespace = inUserNamespace(files);
      boolean userxattr = inNamespace && kernel.space(root).magic() != TMPFS;
      return new OverlaySupport(files.stat(INDEX).isPresent(), userxattr, inNamespace, false);
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter overlayfs: " + root, e);
    }
  }

  private static boolean inUserNamespace(Files files) throws IOException {
    // Files of proc have no size, so this one is read to its end rather than by size.
    try (Files.Handle map = files.open(UID_MAP, Files.Open.READ, 0)) {
      var bytes = java.nio.ByteBuffer.allocate(4096);
      while (bytes.hasRemaining() && map.read(bytes, bytes.position()) > 0) {}
      String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
      return !text.strip().replaceAll("\\s+", " ").equals(WHOLE_MAP);
    }
  }

  private static @org.jspecify.annotations.Nullable IOException attempt(
      Path folder, Kernel kernel, List<String> extra) throws IOException {
    List<String> options = new ArrayList<>();
    options.add("workdir=" + folder.resolve("work"));
    options.add("upperdir=" + folder.resolve("upper"));
    options.add("lowerdir=" + folder.resolve("two") + ":" + folder.resolve("one"));
    options.addAll(extra);
    Path merged = folder.resolve("merged");
    try {
      kernel.mount(List.of(new Mount("overlay", "overlay", options)), merged);
    } catch (IOException e) {
      return e;
    }
    kernel.unmountAll(merged);
    return null;
  }
}
