package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.transfer.flow.Slots;
import io.jcontainerd.transfer.flow.Tasks;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One push: blobs go several at a time, then each document after all that it refers to, the one
 * that gets the name last. What the registry has is not sent, and what another of its repositories
 * has is mounted from there. Layers that must not be passed on stay here. For one thread.
 */
final class Push {
  private final TransferParts parts;
  private final Slots slots;
  private final Documents documents;
  private final Session session;
  private final ImageSelection source;
  private final Notices notices;

  /** What goes, with the name of what it is part of; documents after their parts. */
  private final Map<Descriptor, String> blobs = new LinkedHashMap<>();

  private final Map<Descriptor, String> manifests = new LinkedHashMap<>();
  private final Map<Descriptor, String> indexes = new LinkedHashMap<>();

  Push(TransferParts parts, Slots slots, Session session, ImageSelection source, Notices notices) {
    this.parts = parts;
    this.slots = slots;
    this.documents = new Documents(parts.content());
    this.session = session;
    this.source = source;
    this.notices = notices;
  }

  void run() throws InterruptedException {
    String to = "OCI Registry (" + session.reference() + ")";
    RunningOperation.tell("content", "registry " + Reference.parse(session.reference()).domain());
    notices.event("Pushing to " + to);
    Image image = parts.images().get(source.name());
    Keeper keeper = new Keeper(parts.leases());
    ImageTree tree = new TreeWalk(source.name(), source, new Visitor(keeper)).from(image.target());
    for (ImageTree.Part part : tree.manifests()) {
      String parent = ContentNames.of(part.at());
      add(part.manifest().config(), parent, keeper);
      for (Descriptor layer : part.manifest().layers()) {
        if (part.isWhole() && !MediaTypes.isNondistributable(layer.mediaType())) {
          add(layer, parent, keeper);
        }
      }
    }
    notices.event(Event.PUSHING, source.name(), image.target());
    sendAll(blobs, image.target());
    sendAll(manifests, image.target());
    Set<Descriptor> sent = new HashSet<>();
    for (Descriptor index : indexes.keySet()) {
      sendIndex(index, sent, image.target());
    }
    notices.event(Event.PUSHED, source.name(), image.target());
    notices.event("Completed push to " + to);
  }

  /** An index goes after those that it lists. */
  private void sendIndex(Descriptor at, Set<Descriptor> sent, Descriptor root)
      throws InterruptedException {
    if (!sent.add(at)) {
      return;
    }
    if (documents.read(at) instanceof Index index) {
      for (Index.Entry entry : index.manifests()) {
        if (indexes.containsKey(entry.descriptor())) {
          sendIndex(entry.descriptor(), sent, root);
        }
      }
    }
    send(at, Objects.requireNonNull(indexes.get(at)), root);
  }

  private void add(Descriptor blob, String parent, Keeper keeper) {
    keeper.content(blob.digest());
    if (!documents.has(blob.digest())) {
      throw absent(blob.digest());
    }
    blobs.putIfAbsent(blob, parent);
  }

  private NotFoundException absent(Digest digest) {
    return new NotFoundException(
        "image %s: content %s is not here; pull all platforms, or push those that are here"
            .formatted(source.name(), digest));
  }

  /** Reads what is here, and remembers the order. */
  private final class Visitor implements TreeWalk.Visitor {
    private final Keeper keeper;

    Visitor(Keeper keeper) {
      this.keeper = keeper;
    }

    @Override
    public ImageDocument document(Descriptor at, String parent) {
      keeper.content(at.digest());
      if (!documents.has(at.digest())) {
        throw absent(at.digest());
      }
      (MediaTypes.isIndex(at.mediaType()) ? indexes : manifests).putIfAbsent(at, parent);
      return documents.read(at);
    }

    @Override
    public void other(Descriptor at, String parent) {
      add(at, parent, keeper);
    }
  }

  private void sendAll(Map<Descriptor, String> what, Descriptor root) {
    try (Tasks tasks = new Tasks()) {
      what.forEach((part, parent) -> tasks.begin(() -> send(part, parent, root)));
      tasks.join();
    }
  }

  private void send(Descriptor part, String parent, Descriptor root) throws InterruptedException {
    Consumer<Word> tell = notices.of(part, parent);
    tell.accept(new Word(Event.WAITING, 0));
    try (Slots.Slot _ = slots.take(0)) {
      tell.accept(new Word(Event.UPLOADING, 0));
      Call call = Call.current(); // registries read on threads of their own
      boolean sent =
          session
              .registry()
              .push(
                  nameOf(part, root),
                  withSources(part),
                  () ->
                      call.<BlobStream, IOException>call(
                          () -> new BlobStream(parts.content(), part.digest(), tell)));
      tell.accept(new Word(sent ? Event.COMPLETE : Event.ALREADY_EXISTS, part.size()));
    }
  }

  /** Only the root gets the tag. */
  private String nameOf(Descriptor part, Descriptor root) {
    boolean isDocument =
        MediaTypes.isManifest(part.mediaType()) || MediaTypes.isIndex(part.mediaType());
    return part.equals(root) || !isDocument
        ? session.reference()
        : Reference.parse(session.reference()).withDigest(part.digest()).toString();
  }

  /** With what is known of repositories that have the blob, so that it may be mounted. */
  private Descriptor withSources(Descriptor part) {
    ContentInfo info = parts.content().find(part.digest()).orElseThrow(() -> absent(part.digest()));
    Map<String, String> annotations = new HashMap<>(part.annotations());
    info.labels()
        .forEach(
            (key, value) -> {
              if (key.startsWith(Labels.DISTRIBUTION_SOURCE)) {
                annotations.put(key, value);
              }
            });
    return new Descriptor(part.mediaType(), part.digest(), part.size(), annotations);
  }
}
