package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.transfer.flow.Tasks;
import java.util.List;
import java.util.Optional;

/** Unpacks images whose content is here. Safe for many threads. */
final class Import {
  private final TransferParts parts;
  private final TransferSettings settings;
  private final Blobs blobs;
  private final Layers layers;

  Import(TransferParts parts, TransferSettings settings, Blobs blobs, Layers layers) {
    this.parts = parts;
    this.settings = settings;
    this.blobs = blobs;
    this.layers = layers;
  }

  /** Unpacks an image wherever the selection says, in a call that has a lease. */
  void unpack(String name, Descriptor image, ImageSelection where, TransferListener listener) {
    Documents documents = new Documents(parts.content());
    Notices notices = new Notices(listener);
    try (Session session =
        new Session(
            new ImportedContent(),
            name,
            parts.leases(),
            new Remains(parts.leases(), parts.time()),
            Call.current(),
            Optional.empty())) {
      ImageTree tree =
          new TreeWalk(
                  name,
                  where,
                  new TreeWalk.Visitor() {
                    @Override
                    public ImageDocument document(Descriptor at, String parent) {
                      return documents.read(at);
                    }

                    @Override
                    public void other(Descriptor at, String parent) {
                      // nothing in it is unpacked
                    }
                  })
              .from(image);
      var unpacks = new Unpacks(parts, settings, layers, blobs, session, where, notices);
      List<ImageTree.Part> whole =
          tree.manifests().stream().filter(ImageTree.Part::isWhole).toList();
      try (Tasks tasks = new Tasks()) {
        unpacks
            .choose(whole, unpacks.targets())
            .forEach(unpacking -> tasks.begin(() -> unpacks.unpack(unpacking)));
        tasks.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("image " + name, e);
    }
  }
}
