package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.transfer.TransferSettings.Target;
import io.jcontainerd.transfer.flow.Tasks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One pull: the name is resolved, the documents are followed down to the manifests that count, then
 * configs, layers and snapshots come at the same time, and the names are written last. For one
 * thread.
 */
final class Pull {
  /** Where the layers of a manifest are unpacked. */
  private record Unpacking(ImageTree.Part part, ImageConfig config, Target target) {}

  private final TransferParts parts;
  private final TransferSettings settings;
  private final Blobs blobs;
  private final Layers layers;
  private final Documents documents;
  private final Session session;
  private final PullRequest request;
  private final Notices notices;

  Pull(
      TransferParts parts,
      TransferSettings settings,
      Blobs blobs,
      Layers layers,
      Session session,
      PullRequest request,
      Notices notices) {
    this.parts = parts;
    this.settings = settings;
    this.blobs = blobs;
    this.layers = layers;
    this.documents = new Documents(parts.content());
    this.session = session;
    this.request = request;
    this.notices = notices;
  }

  List<Image> run() throws InterruptedException {
    String from = "OCI Registry (" + session.reference() + ")";
    List<Target> targets = targets();
    notices.event("Resolving from " + from);
    Descriptor root = session.registry().resolve(session.reference());
    ImageDocument.checkType(root.mediaType());
    notices.event("Pulling from " + from, session.reference(), root);
    notices.event(Event.FETCHING, session.reference(), root);
    ImageTree tree =
        new TreeWalk(session.reference(), request.destination(), new Visitor()).from(root);
    List<ImageTree.Part> whole = tree.manifests().stream().filter(ImageTree.Part::isWhole).toList();
    fetchConfigs(tree.manifests());
    List<Unpacking> unpackings = unpackings(whole, targets);
    checkSpace(whole, unpackings);
    bring(whole, unpackings);
    List<Image> images = new ImageNames(parts.images()).save(request.destination(), root, notices);
    notices.event("Completed pull from " + from);
    return images;
  }

  /** Brings documents and lets them refer to their parts. */
  private final class Visitor implements TreeWalk.Visitor {
    @Override
    public ImageDocument document(Descriptor at, String parent) throws InterruptedException {
      ImageDocument.checkType(at.mediaType());
      if (at.size() > ImageDocument.LONGEST) {
        throw new InvalidArgumentException(
            "image %s: manifest of %d bytes is longer than %d"
                .formatted(session.reference(), at.size(), ImageDocument.LONGEST));
      }
      blobs.ensure(session, at, BlobFetch.AT_ONCE, notices.of(at, parent));
      ImageDocument document = documents.read(at);
      documents.label(
          at.digest(),
          GcReferences.of(
              document, part -> !request.discardLayers() || !MediaTypes.isLayer(part.mediaType())));
      return document;
    }

    @Override
    public void other(Descriptor at, String parent) throws InterruptedException {
      blobs.ensure(session, at, 0, notices.of(at, parent));
    }
  }

  private Consumer<Word> listener(ImageTree.Part part, Descriptor blob) {
    return notices.of(blob, ContentNames.of(part.at()));
  }

  /** The ways to unpack that were asked for and are known. */
  private List<Target> targets() {
    List<Target> found = new ArrayList<>();
    for (ImageSelection.UnpackTarget wanted : request.destination().unpacks()) {
      settings.targets().stream()
          .filter(target -> fits(wanted, target))
          .findFirst()
          .filter(target -> !found.contains(target))
          .ifPresent(found::add);
    }
    if (found.isEmpty() && !request.destination().unpacks().isEmpty()) {
      throw new InvalidArgumentException(
          "image %s cannot be unpacked: no unpack_config is for %s"
              .formatted(session.reference(), words(request.destination().unpacks())));
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

  private void fetchConfigs(List<ImageTree.Part> manifests) {
    try (Tasks tasks = new Tasks()) {
      for (ImageTree.Part part : manifests) {
        Descriptor config = part.manifest().config();
        tasks.begin(() -> blobs.ensure(session, config, BlobFetch.AT_ONCE, listener(part, config)));
      }
      tasks.join();
    }
  }

  /** For each way to unpack the first manifest that it is for. */
  private List<Unpacking> unpackings(List<ImageTree.Part> manifests, List<Target> targets) {
    Map<Target, Unpacking> chosen = new LinkedHashMap<>();
    List<Platform> offers = new ArrayList<>();
    for (ImageTree.Part part : manifests) {
      if (!MediaTypes.isConfig(part.manifest().config().mediaType())) {
        continue;
      }
      ImageConfig config = documents.config(part.manifest().config());
      Platform platform = platform(part, config);
      offers.add(platform);
      for (Target target : targets) {
        if (PlatformChoice.runs(target.platform(), platform)) {
          chosen.putIfAbsent(target, new Unpacking(part, config, target));
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

  /** What the index says, or the config if it tells something; else it is for everybody. */
  private static Platform platform(ImageTree.Part part, ImageConfig config) {
    Optional<Platform> told = part.platform().filter(platform -> !platform.os().isEmpty());
    Platform platform = told.orElseGet(config::platform);
    return platform.os().isEmpty() ? Platforms.host() : Platforms.normalize(platform);
  }

  private void checkSpace(List<ImageTree.Part> manifests, List<Unpacking> unpackings) {
    List<Descriptor> fetched = new ArrayList<>();
    manifests.forEach(part -> fetched.addAll(part.manifest().layers()));
    Map<String, List<Descriptor>> unpacked = new HashMap<>();
    for (Unpacking unpacking : unpackings) {
      Manifest manifest = unpacking.part().manifest();
      unpacked.put(unpacking.target().snapshotter(), manifest.layers());
    }
    new SpaceCheck(parts.space(), parts.content())
        .check("image " + session.reference(), fetched, unpacked);
  }

  private void bring(List<ImageTree.Part> manifests, List<Unpacking> unpackings) {
    try (Tasks tasks = new Tasks()) {
      for (Unpacking unpacking : unpackings) {
        tasks.begin(() -> unpack(unpacking));
      }
      for (ImageTree.Part part : manifests) {
        if (unpackings.stream().noneMatch(unpacking -> unpacking.part().equals(part))) {
          List<Descriptor> all = part.manifest().layers();
          for (int i = 0; i < all.size(); i++) {
            Descriptor layer = all.get(i);
            long priority = i;
            tasks.begin(() -> blobs.ensure(session, layer, priority, listener(part, layer)));
          }
        }
      }
      tasks.join();
    }
  }

  private void unpack(Unpacking unpacking) {
    Target target = unpacking.target();
    ImageTree.Part part = unpacking.part();
    Snapshotter snapshotter =
        parts
            .snapshotters()
            .apply(target.snapshotter())
            .orElseThrow(() -> new NotFoundException("snapshotter " + target.snapshotter()));
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
      layers.unpack(plan, plan.layers().stream().map(layer -> listener(part, layer)).toList());
    }
  }
}
