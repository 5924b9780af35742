package io.jcontainerd.transfer;

import static io.jcontainerd.core.operation.RunningOperation.tell;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.transfer.TransferSettings.Target;
import io.jcontainerd.transfer.flow.Slots;
import io.jcontainerd.transfer.flow.Tasks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One pull: the name is resolved, the documents are followed down to the manifests that count, then
 * configs, layers and snapshots come at the same time, and the names are written last. For one
 * thread.
 */
final class Pull {
  private static final int MOST_DOCUMENTS = 256;

  /** Of the places for documents that the daemon has, this many are enough for one pull. */
  private static final int CONFIGS_AT_ONCE = 4;

  private final TransferParts parts;
  private final Blobs blobs;
  private final Unpacks unpacks;
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
    this.blobs = blobs;
    this.unpacks =
        new Unpacks(parts, settings, layers, blobs, session, request.destination(), notices);
    this.documents = new Documents(parts.content());
    this.session = session;
    this.request = request;
    this.notices = notices;
  }

  List<Image> run() throws InterruptedException {
    String from = "OCI Registry (" + session.reference() + ")";
    List<Target> targets = unpacks.targets();
    String registry = "registry " + Reference.parse(session.reference()).domain();
    tell("resolve", registry);
    notices.event("Resolving from " + from);
    Descriptor root = session.registry().resolve(session.reference());
    ImageDocument.checkType(root.mediaType());
    tell("verify", parts.verifiers().isEmpty() ? "" : "image verifiers");
    verify(root);
    tell("documents", registry);
    notices.event("Pulling from " + from, session.reference(), root);
    notices.event(Event.FETCHING, session.reference(), root);
    ImageTree tree =
        new TreeWalk(session.reference(), request.destination(), new Visitor()).from(root);
    List<ImageTree.Part> whole = tree.manifests().stream().filter(ImageTree.Part::isWhole).toList();
    fetchConfigs(tree.manifests());
    List<Unpacks.Unpacking> unpackings = unpacks.choose(whole, targets);
    checkSpace(whole, unpackings);
    tell("content", registry + " and the unpacking of layers");
    bring(whole, unpackings);
    tell("name", "the file systems of its layers");
    List<Image> images = new ImageNames(parts.images()).save(request.destination(), root, notices);
    notices.event("Completed pull from " + from);
    return images;
  }

  /** Asks whoever may refuse the image; all have to allow it. */
  private void verify(Descriptor root) throws InterruptedException {
    for (Map.Entry<String, ImageVerifier> verifier : parts.verifiers().entrySet()) {
      String subject =
          "image %s with digest %s: ".formatted(session.reference(), root.digest())
              + verifier.getKey()
              + ": ";
      ImageVerifier.Judgement judgement;
      try {
        judgement = verifier.getValue().verify(session.reference(), root);
      } catch (UnavailableException e) {
        throw new UnavailableException(subject + e.getMessage(), e);
      }
      if (!judgement.isAllowed()) {
        throw new PermissionDeniedException(subject + judgement.reason());
      }
      if (!judgement.reason().isEmpty()) {
        notices.event("Verified by " + judgement.reason());
      }
    }
  }

  /** Brings documents and lets them refer to their parts. */
  private final class Visitor implements TreeWalk.Visitor {
    private int count;
    private long bytes;

    @Override
    public ImageDocument document(Descriptor at, String parent) throws InterruptedException {
      ImageDocument.checkType(at.mediaType());
      if (at.size() > ImageDocument.LONGEST) {
        throw new InvalidArgumentException(
            "image %s: manifest of %d bytes is longer than %d"
                .formatted(session.reference(), at.size(), ImageDocument.LONGEST));
      }
      checkNotTooMany(at);
      blobs.ensure(session, at, BlobFetch.AT_ONCE, notices.of(at, parent));
      ImageDocument document = documents.read(at);
      documents.label(
          at.digest(),
          GcReferences.of(
              document, part -> !request.discardLayers() || !MediaTypes.isLayer(part.mediaType())));
      return document;
    }

    /** All are in memory at the same time. */
    private void checkNotTooMany(Descriptor at) {
      count++;
      bytes += at.size();
      if (count > MOST_DOCUMENTS) {
        throw new InvalidArgumentException(
            "image %s: it has more than %d manifests, choose a platform"
                .formatted(session.reference(), MOST_DOCUMENTS));
      }
      if (bytes > ImageDocument.LONGEST) {
        throw new InvalidArgumentException(
            "image %s: its manifests have more than %d bytes together"
                .formatted(session.reference(), ImageDocument.LONGEST));
      }
    }

    @Override
    public void other(Descriptor at, String parent) throws InterruptedException {
      blobs.ensure(session, at, 0, notices.of(at, parent));
    }
  }

  private Consumer<Word> listener(ImageTree.Part part, Descriptor blob) {
    return notices.of(blob, ContentNames.of(part.at()));
  }

  private void fetchConfigs(List<ImageTree.Part> manifests) {
    Slots slots = new Slots(CONFIGS_AT_ONCE);
    try (Tasks tasks = new Tasks()) {
      for (ImageTree.Part part : manifests) {
        Descriptor config = part.manifest().config();
        tasks.begin(
            () -> {
              try (Slots.Slot _ = slots.take(0)) {
                blobs.ensure(session, config, BlobFetch.AT_ONCE, listener(part, config));
              }
            });
      }
      tasks.join();
    }
  }

  private void checkSpace(List<ImageTree.Part> manifests, List<Unpacks.Unpacking> unpackings) {
    List<Descriptor> fetched = new ArrayList<>();
    for (ImageTree.Part part : manifests) {
      if (unpackings.stream().noneMatch(unpacking -> unpacking.part().equals(part))) {
        fetched.addAll(part.manifest().layers());
      }
    }
    Map<String, List<Descriptor>> unpacked = new HashMap<>();
    for (Unpacks.Unpacking unpacking : unpackings) {
      if (!unpacks.isRemote(unpacking)) { // else nobody knows what has to come
        List<Descriptor> missing = unpacks.missing(unpacking);
        fetched.addAll(missing);
        unpacked
            .computeIfAbsent(unpacking.target().snapshotter(), _ -> new ArrayList<>())
            .addAll(missing);
      }
    }
    new SpaceCheck(parts.space(), parts.content())
        .check("image " + session.reference(), fetched, unpacked);
  }

  private void bring(List<ImageTree.Part> manifests, List<Unpacks.Unpacking> unpackings) {
    try (Tasks tasks = new Tasks()) {
      for (Unpacks.Unpacking unpacking : unpackings) {
        tasks.begin(() -> unpacks.unpack(unpacking));
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
}
