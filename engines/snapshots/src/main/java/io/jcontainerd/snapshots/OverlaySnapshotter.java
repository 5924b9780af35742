package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Snapshots as layers of the kernel's overlay file system: {@code overlayfs}. */
public final class OverlaySnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "overlayfs";

  /** On a snapshot's info, if asked for: the folder of its own files. */
  public static final String UPPERDIR_LABEL = "containerd.io/snapshot/overlay.upperdir";

  private static final int FOLDER_MODE = 0700;
  private static final int UPPER_MODE = 0755;
  private static final int WORK_MODE = 0711;

  /**
   * How it behaves.
   *
   * @param mountOptions added to every overlay mount, never to bind mounts
   * @param upperdirLabel whether infos tell the folder of a snapshot's own files
   * @param syncRemove whether folders are deleted with their snapshots rather than by a clean-up
   * @param slowChown whether clients may change owners file by file where the kernel cannot map
   *     them
   */
  public record Options(
      List<String> mountOptions, boolean upperdirLabel, boolean syncRemove, boolean slowChown) {
    /** What holds unless told otherwise. */
    public static final Options DEFAULTS = new Options(List.of(), false, false, false);

    /** Copies the options. */
    public Options {
      mountOptions = List.copyOf(mountOptions);
    }
  }

  private OverlaySnapshotter() {}

  /**
   * Opens the snapshotter below a folder, which is made if need be.
   *
   * @param support what the machine can do: {@link OverlaySupport#probe}
   * @throws io.jcontainerd.core.failure.ContainerdException if the folder cannot be used
   */
  public static Snapshotter open(
      Path root, Environment environment, OverlaySupport support, Options options) {
    return DirectorySnapshotter.open(
        NAME,
        root,
        environment,
        new OverlayLayout(environment.files(), environment.trees(), support, options),
        options.syncRemove());
  }

  private static final class OverlayLayout implements Layout {
    private final Files files;
    private final Trees trees;
    private final OverlaySupport support;
    private final Options options;

    OverlayLayout(Files files, Trees trees, OverlaySupport support, Options options) {
      this.files = files;
      this.trees = trees;
      this.support = support;
      this.options = options;
    }

    private static Path upper(Path folder) {
      return folder.resolve("fs");
    }

    private static Path work(Path folder) {
      return folder.resolve("work");
    }

    @Override
    public boolean make(Place place) throws IOException {
      // A mapping that makes no sense is refused before there is anything to undo.
      Optional<Integer> uid = IdMapping.rootId(place.labels(), IdMapping.UID_LABEL);
      Optional<Integer> gid = IdMapping.rootId(place.labels(), IdMapping.GID_LABEL);
      if (uid.isPresent() != gid.isPresent()) {
        throw new InvalidArgumentException(
            "labels %s and %s are needed together"
                .formatted(IdMapping.UID_LABEL, IdMapping.GID_LABEL));
      }
      files.createDirectory(place.folder(), FOLDER_MODE);
      makeUpper(place, uid, gid);
      if (place.kind() == SnapshotKind.ACTIVE) {
        files.createDirectory(work(place.folder()), WORK_MODE);
      }
      return false;
    }

    private void makeUpper(Place place, Optional<Integer> uid, Optional<Integer> gid)
        throws IOException {
      Path upper = upper(place.folder());
      files.createDirectory(upper, UPPER_MODE);
      if (uid.isPresent() && gid.isPresent()) {
        files.setOwner(upper, uid.get(), gid.get());
      } else if (!place.parents().isEmpty()) {
        RootFolder.dress(files, upper, upperOfParent(place));
      }
    }

    private static Path upperOfParent(Place place) {
      return upper(place.folders().apply(place.parents().getFirst()));
    }

    @Override
    public void rebase(Place active) throws IOException {
      RootFolder.dressIfNew(files, upper(active.folder()), upperOfParent(active));
    }

    /** A power cut may take an empty folder whose record was durable. */
    @Override
    public void heal(Place place) throws IOException {
      if (files.stat(upper(place.folder())).isEmpty()) {
        if (files.stat(place.folder()).isPresent()) {
          files.deleteTree(place.folder());
        }
        make(place);
      } else if (place.kind() == SnapshotKind.ACTIVE
          && files.stat(work(place.folder())).isEmpty()) {
        files.createDirectory(work(place.folder()), WORK_MODE);
      }
    }

    @Override
    public List<Mount> mounts(Place place) {
      Path upper = upper(place.folder());
      List<Long> parents = place.parents();
      return switch (place.kind()) {
        case COMMITTED -> throw new InternalException("a committed snapshot has no mounts");
        case ACTIVE ->
            List.of(
                parents.isEmpty() ? bind(place, upper, "rw") : overlay(place, Optional.of(upper)));
        case VIEW ->
            List.of(
                switch (parents.size()) {
                  case 0 -> bind(place, upper, "ro");
                  case 1 -> bind(place, upper(place.folders().apply(parents.getFirst())), "ro");
                  default -> overlay(place, Optional.empty());
                });
      };
    }

    private Mount bind(Place place, Path source, String mode) {
      List<String> all = mapping(place);
      all.add(mode);
      all.add("rbind");
      return new Mount("bind", source.toString(), all);
    }

    private List<String> mapping(Place place) {
      List<String> all = new ArrayList<>();
      if (support.idMapped()) {
        addMapping(all, "uidmap", place.labels().get(IdMapping.UID_LABEL));
        addMapping(all, "gidmap", place.labels().get(IdMapping.GID_LABEL));
      }
      return all;
    }

    private Mount overlay(Place place, Optional<Path> upper) {
      List<String> all = mapping(place);
      if (upper.isPresent()) {
        all.add("workdir=" + work(place.folder()));
        all.add("upperdir=" + upper.get());
      }
      all.add(
          place.parents().stream()
              .map(id -> upper(place.folders().apply(id)).toString())
              .collect(Collectors.joining(":", "lowerdir=", "")));
      all.addAll(options.mountOptions());
      if (support.userxattr() && !configured("userxattr")) {
        all.add("userxattr");
      }
      if (support.indexOff() && !configured("index")) {
        all.add("index=off");
      }
      return new Mount("overlay", "overlay", all);
    }

    private static void addMapping(
        List<String> all, String option, @org.jspecify.annotations.Nullable String value) {
      if (value != null) {
        all.add(option + "=" + value);
      }
    }

    private boolean configured(String option) {
      return options.mountOptions().stream()
          .anyMatch(given -> given.equals(option) || given.startsWith(option + "="));
    }

    @Override
    public Usage usage(Place place) throws IOException {
      return trees.usage(upper(place.folder()));
    }

    @Override
    public Optional<Path> tree(Path folder) {
      return Optional.of(upper(folder));
    }

    @Override
    public Map<String, String> shownLabels(Path folder) {
      return options.upperdirLabel() ? Map.of(UPPERDIR_LABEL, upper(folder).toString()) : Map.of();
    }

    @Override
    public Set<String> capabilities() {
      var all = new HashSet<String>();
      if (!support.userNamespace()) {
        all.add("rebase");
      }
      if (support.idMapped()) {
        all.add("remap-ids");
      }
      if (!options.slowChown()) {
        all.add("only-remap-ids");
      }
      return Set.copyOf(all);
    }
  }
}
