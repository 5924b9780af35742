package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Images below an overlay; see the package's description for the folders. */
final class ErofsLayout implements Layout {
  /** On a snapshot: how many bytes it may write, where it has a file system of its own for that. */
  static final String MAX_SIZE_LABEL = "containerd.io/snapshot/max-size";

  private static final int FOLDER_MODE = 0700;
  private static final int UPPER_MODE = 0755;
  private static final int WORK_MODE = 0711;
  private static final int MARKER_MODE = 0644;
  private static final long SECTOR = 512;

  private final Files files;
  private final Trees trees;
  private final ErofsImages images;
  private final ErofsSnapshotter.Options options;

  ErofsLayout(Environment environment, ErofsImages images, ErofsSnapshotter.Options options) {
    this.files = environment.files();
    this.trees = environment.trees();
    this.images = images;
    this.options = options;
  }

  private boolean ownFileSystem() {
    return options.writableSize() > 0;
  }

  private static Path upperOfParent(Place place) {
    return ErofsImages.upper(place.folders().apply(place.parents().getFirst()));
  }

  @Override
  public void rebase(Place active) throws IOException {
    RootFolder.dressIfNew(files, ErofsImages.upper(active.folder()), upperOfParent(active));
  }

  @Override
  public boolean make(Place place) throws IOException {
    Optional<Integer> uid = IdMapping.rootId(place.labels(), IdMapping.UID_LABEL);
    Optional<Integer> gid = IdMapping.rootId(place.labels(), IdMapping.GID_LABEL);
    if (uid.isPresent() != gid.isPresent()) {
      throw new InvalidArgumentException(
          "labels %s and %s are needed together"
              .formatted(IdMapping.UID_LABEL, IdMapping.GID_LABEL));
    }
    long _ = writableSize(place);
    Path folder = place.folder();
    files.createDirectory(folder, FOLDER_MODE);
    Path upper = ErofsImages.upper(folder);
    files.createDirectory(upper, UPPER_MODE);
    if (!place.parents().isEmpty()) {
      RootFolder.dress(files, upper, upperOfParent(place));
    }
    if (uid.isPresent() && gid.isPresent()) {
      files.setOwner(upper, uid.get(), gid.get());
    }
    if (place.kind() == SnapshotKind.ACTIVE) {
      if (!ownFileSystem()) {
        files.createDirectory(ErofsImages.work(folder), WORK_MODE);
      }
      try (Files.Handle marker =
          files.open(ErofsImages.marker(folder), Files.Open.CREATE_NEW, MARKER_MODE)) {
        marker.truncate(0);
      }
    }
    return false;
  }

  /** A power cut may take an empty folder whose record was durable. */
  @Override
  public void heal(Place place) throws IOException {
    Path folder = place.folder();
    if (files.stat(ErofsImages.upper(folder)).isEmpty() && !images.hasImage(folder)) {
      if (files.stat(folder).isPresent()) {
        files.deleteTree(folder);
      }
      make(place);
    } else if (place.kind() == SnapshotKind.ACTIVE
        && !ownFileSystem()
        && files.stat(ErofsImages.work(folder)).isEmpty()) {
      files.createDirectory(ErofsImages.work(folder), WORK_MODE);
    }
  }

  private long writableSize(Place place) {
    String wanted = place.labels().get(MAX_SIZE_LABEL);
    if (wanted == null || !ownFileSystem()) {
      return options.writableSize();
    }
    if (!wanted.matches("[1-9][0-9]{0,17}")) {
      throw new InvalidArgumentException(
          "label %s \"%s\" is no number of bytes".formatted(MAX_SIZE_LABEL, wanted));
    }
    return Long.parseLong(wanted);
  }

  @Override
  public List<Mount> mounts(Place place) throws IOException {
    if (place.kind() == SnapshotKind.COMMITTED) {
      throw new InternalException("a committed snapshot has no mounts");
    }
    if (place.parents().isEmpty()) {
      return alone(place);
    }
    if (place.kind() == SnapshotKind.VIEW && place.parents().size() == 1) {
      return List.of(layer(place.folders().apply(place.parents().getFirst())));
    }
    return stacked(place);
  }

  private List<Mount> alone(Place place) throws IOException {
    Path folder = place.folder();
    if (images.hasImage(folder) && !images.hasFiles(folder)) {
      images.requireVerity(folder);
      return List.of(layer(folder));
    }
    if (place.kind() == SnapshotKind.VIEW || !ownFileSystem()) {
      String mode = place.kind() == SnapshotKind.VIEW ? "ro" : "rw";
      return List.of(
          new Mount("bind", ErofsImages.upper(folder).toString(), List.of(mode, "rbind")));
    }
    return List.of(
        writable(place),
        new Mount(
            "format/mkdir/bind", "{{ mount 0 }}/upper", List.of(folder(place), "rw", "rbind")));
  }

  /** The folder in the file system is the top of the tree; it is as the folder here was made. */
  private String folder(Place place) throws IOException {
    Path upper = ErofsImages.upper(place.folder());
    FileStat stat = files.stat(upper).orElseThrow(() -> new NoSuchFileException(upper.toString()));
    String option =
        "X-containerd.mkdir.path={{ mount 0 }}/upper:%04o".formatted(stat.mode() & 0777);
    return stat.uid() == 0 && stat.gid() == 0
        ? option
        : option
            + ":%s:%s"
                .formatted(
                    Integer.toUnsignedString(stat.uid()), Integer.toUnsignedString(stat.gid()));
  }

  private Mount writable(Place place) {
    return new Mount(
        "mkfs/ext4",
        ErofsImages.writable(place.folder()).toString(),
        List.of(
            "X-containerd.mkfs.fs=ext4",
            "X-containerd.mkfs.size=" + writableSize(place),
            "rw",
            "loop"));
  }

  private Mount layer(Path folder) throws IOException {
    var all = new ArrayList<>(List.of("ro", "loop"));
    Path verity = ErofsImages.deviceVerity(folder);
    if (!options.deviceVerity().equals("off") && files.stat(verity).isPresent()) {
      all.add("X-containerd.dmverity=" + verity);
    }
    return new Mount("erofs", ErofsImages.image(folder).toString(), all);
  }

  /** Images that were merged into one stand for all from there down. */
  private Optional<Mount> merged(Place place, int from) throws IOException {
    List<Long> parents = place.parents();
    Path merged = ErofsImages.merged(place.folders().apply(parents.get(from)));
    if (files.stat(merged).map(FileStat::size).orElse(0L) == 0) {
      return Optional.empty();
    }
    var all = new ArrayList<>(List.of("ro", "loop"));
    for (int i = parents.size() - 1; i >= from; i--) {
      all.add("device=" + ErofsImages.image(place.folders().apply(parents.get(i))));
    }
    return Optional.of(new Mount("erofs", merged.toString(), all));
  }

  private List<Mount> stacked(Place place) throws IOException {
    var mounts = new ArrayList<Mount>();
    var last = new ArrayList<String>();
    boolean active = place.kind() == SnapshotKind.ACTIVE;
    if (active && ownFileSystem()) {
      mounts.add(writable(place));
      last.add(folder(place));
      last.add("X-containerd.mkdir.path={{ mount 0 }}/work:0755");
      last.add("workdir={{ mount 0 }}/work");
      last.add("upperdir={{ mount 0 }}/upper");
    } else if (active) {
      last.add("workdir=" + ErofsImages.work(place.folder()));
      last.add("upperdir=" + ErofsImages.upper(place.folder()));
    }
    int first = mounts.size();
    boolean more = true;
    for (int i = 0; more && i < place.parents().size(); i++) {
      Optional<Mount> merged = merged(place, i);
      mounts.add(
          merged.isPresent() ? merged.get() : layer(place.folders().apply(place.parents().get(i))));
      more = merged.isEmpty();
    }
    if (options.idMapped()) {
      addMapping(last, "uidmap=", place.labels().get(IdMapping.UID_LABEL));
      addMapping(last, "gidmap=", place.labels().get(IdMapping.GID_LABEL));
    }
    boolean single = mounts.size() - first == 1;
    if (single && !active) {
      last.add("ro");
      last.add("rbind");
      mounts.add(new Mount("format/bind", "{{ mount " + first + " }}", last));
      return mounts;
    }
    last.add(
        single
            ? "lowerdir={{ mount " + first + " }}"
            : "lowerdir={{ overlay %d %d }}".formatted(first, mounts.size() - 1));
    last.addAll(options.overlayOptions());
    mounts.add(new Mount("format/mkdir/overlay", "overlay", last));
    return mounts;
  }

  private static void addMapping(
      List<String> all, String option, @org.jspecify.annotations.Nullable String value) {
    if (value != null) {
      all.add(option + value);
    }
  }

  @Override
  public Usage usage(Place place) throws IOException {
    Path folder = place.folder();
    if (images.hasImage(folder) && !images.hasFiles(folder)) {
      return new Usage(blocks(ErofsImages.image(folder)), 1);
    }
    if (files.stat(ErofsImages.writable(folder)).isPresent()) {
      return new Usage(blocks(ErofsImages.writable(folder)), 1);
    }
    return trees.usage(ErofsImages.upper(folder));
  }

  @Override
  public Usage seal(Place active) throws IOException {
    images.make(active.folder());
    return new Usage(blocks(ErofsImages.image(active.folder())), 1);
  }

  private long blocks(Path file) throws IOException {
    return files
            .stat(file)
            .map(FileStat::blocks)
            .orElseThrow(() -> new NoSuchFileException(file.toString()))
        * SECTOR;
  }

  @Override
  public Map<String, String> shownLabels(Path folder) {
    return Map.of();
  }

  @Override
  public Set<String> capabilities() {
    var all = new HashSet<>(Set.of("only-remap-ids"));
    if (!ownFileSystem()) { // into which nobody looks at a commit, to make its root like another's
      all.add("rebase");
    }
    if (options.idMapped()) {
      all.add("remap-ids");
    }
    return Set.copyOf(all);
  }
}
