package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.ContentNames;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tells how a transfer goes, in the form of containerd.
 *
 * @param listener who hears it
 */
record Notices(TransferListener listener) {
  void event(String text) {
    listener.progress(new TransferProgress(text));
  }

  void event(String text, String name, Descriptor of) {
    listener.progress(new TransferProgress(text, name, List.of(), 0, 0, Optional.of(of)));
  }

  /** Who tells of a part of something. */
  Consumer<Word> of(Descriptor part, String parent) {
    String name = ContentNames.of(part);
    List<String> parents = List.of(parent);
    Optional<Descriptor> descriptor = Optional.of(part);
    return word ->
        listener.progress(
            new TransferProgress(
                word.event(), name, parents, word.bytes(), part.size(), descriptor));
  }
}
