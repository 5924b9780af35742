package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.Optional;

/**
 * Brings a manifest to one host (distribution-spec, "pushing manifests"). One with a subject is
 * made known as its referrer: by the registry, or where that does not say so, by us.
 */
final class ManifestPush {
  private final Exchange exchange;
  private final ReferrersTag referrersTag;

  ManifestPush(Exchange exchange) {
    this.exchange = exchange;
    this.referrersTag = new ReferrersTag(exchange);
  }

  /** Whether anything had to be sent. */
  boolean push(Host host, Reference reference, Descriptor descriptor, Registry.Source source)
      throws IOException {
    byte[] bytes = read(reference, descriptor, source);
    JsonObject manifest = JsonObject.parse(bytes);
    Optional<Digest> subject =
        manifest.object("subject").flatMap(at -> at.string("digest")).map(Digest::parse);
    if (subject.isEmpty() && isThere(host, reference, descriptor)) {
      return false;
    }
    URI uri = host.api(reference, "/manifests/" + reference.object());
    Ask put =
        Ask.of(host, reference, "PUT", uri, Scopes.push(reference))
            .header("Content-Type", descriptor.mediaType())
            .body(
                new UploadBody(
                    () -> new ByteArrayInputStream(bytes), bytes.length, 0, bytes.length));
    Answer answer = exchange.send(put);
    if (!answer.isGood()) {
      throw answer.failure();
    }
    answer.drop();
    checkStored(answer, descriptor.digest());
    if (subject.isPresent()
        && answer.header("OCI-Subject").filter(subject.get().toString()::equals).isEmpty()) {
      referrersTag.add(host, reference, subject.get(), descriptor, manifest);
    }
    return true;
  }

  /** All of it, so that no manifest goes out under a wrong name. */
  private static byte[] read(Reference reference, Descriptor descriptor, Registry.Source source) {
    if (descriptor.size() > ImageDocument.LONGEST) {
      throw new InvalidArgumentException(
          "image %s: the manifest of %d bytes is longer than %d"
              .formatted(reference, descriptor.size(), ImageDocument.LONGEST));
    }
    try (InputStream in = source.open()) {
      byte[] bytes = in.readNBytes(Math.toIntExact(descriptor.size()) + 1);
      if (!Fetching.like(descriptor.digest(), bytes).equals(descriptor.digest())) {
        throw new InvalidArgumentException(
            "image " + reference + ": the manifest is not " + descriptor.digest());
      }
      return bytes;
    } catch (IOException e) {
      throw new UnavailableException(
          "image %s: manifest %s cannot be read: %s"
              .formatted(reference, descriptor.digest(), Exchange.text(e)),
          e);
    }
  }

  private boolean isThere(Host host, Reference reference, Descriptor descriptor) {
    Answer there =
        exchange.send(
            Ask.of(
                    host,
                    reference,
                    "HEAD",
                    host.api(reference, "/manifests/" + reference.object()),
                    Scopes.push(reference))
                .header("Accept", descriptor.mediaType() + ", */*"));
    there.drop();
    return there.status() == 200
        && there.claimed().filter(descriptor.digest().toString()::equals).isPresent();
  }

  /** Whether the registry took what we sent for what it is. */
  static void checkStored(Answer answer, Digest digest) {
    if (answer.denies(digest)) {
      throw new DataLossException(
          answer.ask().words()
              + " stored "
              + Printable.text(answer.claimed().orElse(""))
              + " instead of "
              + digest);
    }
  }
}
