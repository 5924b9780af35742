package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.endure.Layer.Blob;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * A pull as containerd's clients do it: blobs, snapshots, a name, and the labels that keep them,
 * all under a lease. Some name the image before they unpack it, some after.
 */
final class Pulling {
  private final Ledger ledger;
  private final Model model;
  private final String namespace;
  private final SplittableRandom random;
  private final Blobs blobs;
  private final Unpacking unpacking;

  Pulling(Ledger ledger, Model model, String namespace, SplittableRandom random) {
    this.ledger = ledger;
    this.model = model;
    this.namespace = namespace;
    this.random = random;
    this.blobs = new Blobs(ledger, namespace, random);
    this.unpacking = new Unpacking(ledger, namespace);
  }

  /** Pulls and unpacks under a lease of that id, which is given back at the end. */
  void pull(Containerd client, int number, String snapshotter, String id)
      throws InterruptedException {
    ModelImage image = model.image(number);
    Leasing leasing = new Leasing(ledger, namespace, "pull-" + id);
    leasing.take(client);
    Call call = Call.in(namespace).withLease(leasing.id());
    call.<Void, InterruptedException>call(
        () -> {
          fetch(client, image, leasing.id());
          if (image.number() % 2 == 0) {
            name(client, "img-" + image.number(), image.number());
            unpack(client, image, snapshotter, leasing.id());
          } else {
            unpack(client, image, snapshotter, leasing.id());
            name(client, "img-" + image.number(), image.number());
          }
          return null;
        });
    leasing.giveBack(client, random.nextInt(4) == 0);
  }

  /** All blobs, in any order but the manifest last, since it names the others. */
  private void fetch(Containerd client, ModelImage image, String lease)
      throws InterruptedException {
    List<Blob> parts = new ArrayList<>(image.blobs());
    parts.removeLast();
    while (!parts.isEmpty()) {
      blobs.bring(client, lease, parts.remove(random.nextInt(parts.size())), Map.of());
    }
    blobs.bring(client, lease, image.manifest(), image.references());
  }

  private void unpack(Containerd client, ModelImage image, String snapshotter, String lease) {
    unpacking.unpack(client, image, snapshotter, lease);
    String label = "containerd.io/gc.ref.snapshot." + snapshotter;
    ledger.promise(
        Keys.unpacked(namespace, image.number(), snapshotter),
        "yes",
        () ->
            client
                .content()
                .update(
                    new ContentInfo(
                        image.config().digest(),
                        0,
                        Instant.EPOCH,
                        Instant.EPOCH,
                        Map.of(label, image.top())),
                    new FieldMask(List.of("labels." + label))));
  }

  /** Gives the image a name, unless it has it. */
  void name(Containerd client, String name, int number) {
    String key = Keys.image(namespace, name);
    if (!ledger.known(key).value().isEmpty()) {
      return; // an earlier attempt did it, or another pull of the same
    }
    Descriptor target = model.image(number).manifest().descriptor();
    Image image = new Image(name, target, Map.of("generation", "0"), Instant.EPOCH, Instant.EPOCH);
    ledger.promise(key, number + " 0", () -> client.images().create(image, Optional.empty()));
  }
}
