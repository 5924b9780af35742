package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/**
 * Keeps the list of referrers where a registry keeps none: an index at a tag made of the subject's
 * digest (distribution-spec, "referrers tag schema"). Others do the same at the same time, so it is
 * changed only as it was read, with registries that can tell.
 */
final class ReferrersTag {
  private static final int TRIES = 5;
  private static final int PRECONDITION_FAILED = 412;

  private final Exchange exchange;

  ReferrersTag(Exchange exchange) {
    this.exchange = exchange;
  }

  /** Adds a manifest to the list of its subject, unless it is there. */
  void add(
      Host host, Reference reference, Digest subject, Descriptor descriptor, JsonObject manifest)
      throws IOException {
    URI uri = host.api(reference, "/manifests/" + Referrers.tag(subject));
    JsonObject entry = entry(descriptor, manifest);
    for (int attempt = 1; attempt <= TRIES; attempt++) {
      Exchange.Whole there =
          exchange.readIfGiven(
              Ask.of(host, reference, "GET", uri, Scopes.push(reference))
                  .header("Accept", MediaTypes.INDEX),
              ImageDocument.LONGEST);
      Optional<JsonObject> index = index(there);
      JsonArray known = index.flatMap(found -> found.array("manifests")).orElse(JsonArray.EMPTY);
      if (known.objects().stream().anyMatch(one -> isOf(one, descriptor.digest()))) {
        return;
      }
      byte[] changed =
          index.orElseGet(ReferrersTag::empty).with("manifests", known.plus(entry)).toBytes();
      Answer put = exchange.send(put(host, reference, uri, changed, there.answer()));
      if (put.isGood()) {
        put.drop();
        return;
      }
      if (put.status() != PRECONDITION_FAILED) {
        throw put.failure();
      }
      put.drop();
    }
    throw new AbortedException(
        "image "
            + reference
            + ": the referrers of "
            + subject
            + " are changed by others all along");
  }

  private static Ask put(Host host, Reference reference, URI uri, byte[] index, Answer before) {
    Ask put =
        Ask.of(host, reference, "PUT", uri, Scopes.push(reference))
            .header("Content-Type", MediaTypes.INDEX)
            .body(
                new UploadBody(
                    () -> new ByteArrayInputStream(index), index.length, 0, index.length));
    if (before.status() == 404) {
      return put.header("If-None-Match", "*");
    }
    return before.header("ETag").map(tag -> put.header("If-Match", tag)).orElse(put);
  }

  private static boolean isOf(JsonObject entry, Digest digest) {
    return entry.string("digest").filter(digest.toString()::equals).isPresent();
  }

  private static Optional<JsonObject> index(Exchange.Whole whole) {
    Answer answer = whole.answer();
    if (answer.status() == 404) {
      answer.drop();
      return Optional.empty();
    }
    if (answer.status() != 200) {
      throw answer.failure();
    }
    try {
      ImageDocument.parse(whole.bytes(), MediaTypes.INDEX);
      return Optional.of(JsonObject.parse(whole.bytes()));
    } catch (InvalidArgumentException e) {
      throw new UnavailableException(
          answer.ask().words()
              + " answered with what is no index: "
              + Printable.text(String.valueOf(e.getMessage())),
          e);
    }
  }

  private static JsonObject empty() {
    return JsonObject.EMPTY.with("schemaVersion", 2).with("mediaType", MediaTypes.INDEX);
  }

  /** The manifest with what the list tells of it: its type, else that of its config, and notes. */
  private static JsonObject entry(Descriptor descriptor, JsonObject manifest) {
    JsonObject entry =
        Descriptors.json(
            new Descriptor(
                descriptor.mediaType(),
                descriptor.digest(),
                descriptor.size(),
                manifest.stringMap("annotations")));
    Optional<String> type =
        manifest
            .string("artifactType")
            .filter(text -> !text.isEmpty())
            .or(() -> manifest.object("config").flatMap(config -> config.string("mediaType")));
    return type.map(text -> entry.with("artifactType", Json.of(text))).orElse(entry);
  }
}
