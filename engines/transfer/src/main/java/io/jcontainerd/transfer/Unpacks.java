package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.transfer.TransferSettings.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the layers of an image are to be unpacked, and how that is done. Safe for many threads. */
final class Unpacks {
  /** Where the layers of a manifest are unpacked. */
  record Unpacking(ImageTree.Part part, ImageConfig config, Target target) {}

  private final TransferParts parts;
  private final TransferSettings settings;
  private final Layers layers;
  private final Blobs blobs;
  private final Documents documents;
  private final Session session;
  private final ImageSelection selection;
  private final Notices notices;

  Unpacks(
      TransferParts parts,
      TransferSettings settings,
      Layers layers,
      Blobs blobs,
      Session session,
      ImageSelection selection,
      Notices notices) {
    this.parts = parts;
    this.settings = settings;
    this.layers = layers;
    this.blobs = blobs;
    this.documents = new Documents(parts.content());
    this.session = session;
    this.selection = selection;
    this.notices = notices;
  }

  /** The ways to unpack that were asked for and are known. */
  List<Target> targets() {
    List<Target> found = new ArrayList<>();
    for (ImageSelection.UnpackTarget wanted : selection.unpacks()) {
      settings.targets().stream()
          .filter(target -> fits(wanted, target))
          .findFirst()
          .filter(target -> !found.contains(target))
          .ifPresent(found::add);
    }
    if (found.isEmpty() && !selection.unpacks().isEmpty()) {
      throw new InvalidArgumentException(
          "image %s cannot be unpacked: no unpack_config is for %s"
              .formatted(session.reference(), words(selection.unpacks())));
    }
    return found;
  }

  private static String words(List<ImageSelection.UnpackTarget> unpacks) {
    return String.join(
        ", ",
        unpacks.stream()
            .map(
                unpack ->
                    Platforms.format(filled(unpack.platform()))
                        + (unpack.snapshotter().isEmpty() ? "" : " in " + unpack.snapshotter()))
            .toList());
  }

  private static boolean fits(ImageSelection.UnpackTarget wanted, Target target) {
    return PlatformChoice.runs(target.platform(), filled(wanted.platform()))
        && (wanted.snapshotter().isEmpty() || wanted.snapshotter().equals(target.snapshotter()));
  }

  private static Platform filled(Platform platform) {
    return platform.os().isEmpty() && platform.architecture().isEmpty()
        ? Platforms.host()
        : platform;
  }

  /** For each way to unpack the manifest that it is best for; of equals the first. */
  List<Unpacking> choose(List<ImageTree.Part> manifests, List<Target> targets) {
    Map<Target, Unpacking> chosen = new LinkedHashMap<>();
    Map<Target, Integer> ranks = new HashMap<>();
    List<Platform> offers = new ArrayList<>();
    for (ImageTree.Part part : manifests) {
      if (!MediaTypes.isConfig(part.manifest().config().mediaType())) {
        continue;
      }
      ImageConfig config = documents.config(part.manifest().config());
      Platform platform = platform(part, config);
      offers.add(platform);
      for (Target target : targets) {
        if (!PlatformChoice.runs(target.platform(), platform) || !unpacks(target, part)) {
          continue;
        }
        int rank = Platforms.rank(target.platform(), platform).orElseThrow();
        if (rank < ranks.getOrDefault(target, Integer.MAX_VALUE)) {
          ranks.put(target, rank);
          chosen.put(target, new Unpacking(part, config, target));
        }
      }
    }
    boolean unusable =
        settings.checkPlatformSupported()
            && offers.stream()
                .noneMatch(
                    offer ->
                        settings.targets().stream()
                            .anyMatch(target -> PlatformChoice.runs(target.platform(), offer)));
    if (unusable || (chosen.isEmpty() && !targets.isEmpty())) {
      throw new NotFoundException(
          "image %s: none of its platforms can be unpacked here; it offers %s"
              .formatted(
                  session.reference(),
                  String.join(", ", offers.stream().map(Platforms::format).toList())));
    }
    return List.copyOf(chosen.values());
  }

  private static boolean unpacks(Target target, ImageTree.Part part) {
    return target.layerTypes().isEmpty()
        || part.manifest().layers().stream()
            .allMatch(layer -> target.layerTypes().contains(layer.mediaType()));
  }

  /** What the index says, or the config if it tells something; else it is for everybody. */
  private static Platform platform(ImageTree.Part part, ImageConfig config) {
    Optional<Platform> told = part.platform().filter(platform -> !platform.os().isEmpty());
    Platform platform = told.orElseGet(config::platform);
    return platform.os().isEmpty() ? Platforms.host() : Platforms.normalize(platform);
  }

  /** The layers that will have to be unpacked: those whose snapshots are not here yet. */
  List<Descriptor> missing(Unpacking unpacking) {
    Snapshotter snapshotter = snapshotter(unpacking.target());
    List<Descriptor> layers = unpacking.part().manifest().layers();
    List<Digest> chain = ChainIds.of(unpacking.config().diffIds());
    List<Descriptor> missing = new ArrayList<>();
    for (int i = 0; i < Math.min(layers.size(), chain.size()); i++) {
      if (!isCommitted(snapshotter, chain.get(i).toString())) {
        missing.add(layers.get(i));
      }
    }
    return missing;
  }

  private static boolean isCommitted(Snapshotter snapshotter, String name) {
    try {
      return snapshotter.stat(name).kind() == SnapshotKind.COMMITTED;
    } catch (NotFoundException _) {
      return false;
    }
  }

  /** Whether layers may be had without their blobs coming here. */
  boolean isRemote(Unpacking unpacking) {
    return UnpackPlan.isRemote(snapshotter(unpacking.target()));
  }

  private Snapshotter snapshotter(Target target) {
    return parts
        .snapshotters()
        .apply(target.snapshotter())
        .orElseThrow(() -> new NotFoundException("snapshotter " + target.snapshotter()));
  }

  /** Unpacks all layers of a manifest. */
  void unpack(Unpacking unpacking) {
    Target target = unpacking.target();
    ImageTree.Part part = unpacking.part();
    Snapshotter snapshotter = snapshotter(target);
    Applier applier =
        parts
            .appliers()
            .apply(target.differ())
            .orElseThrow(() -> new NotFoundException("differ " + target.differ()));
    try (UnpackPlan plan =
        new UnpackPlan(
            session,
            part.at(),
            part.manifest(),
            unpacking.config(),
            target.snapshotter(),
            snapshotter,
            applier,
            blobs)) {
      layers.unpack(
          plan,
          plan.layers().stream()
              .map(layer -> notices.of(layer, ContentNames.of(part.at())))
              .toList());
    }
  }
}
