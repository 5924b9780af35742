package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what refers to a manifest at one host (distribution-spec, "listing referrers"): by its
 * list, or where it keeps none, by the tag that clients keep in its place.
 */
final class Referrers {
  private static final int MOST = 100_000;

  /** A tag takes no more of a digest. */
  private static final int TAG_HEX = 64;

  /** What says that a host has no such list; some answer so to every path that they do not know. */
  private static final Set<Integer> NO_LIST = Set.of(404, 405, 501);

  private final Exchange exchange;

  Referrers(Exchange exchange) {
    this.exchange = exchange;
  }

  /**
   * What refers to the subject.
   *
   * @param artifactType only what is of this type; all if empty
   */
  List<Referrer> of(Host host, Reference reference, Digest subject, String artifactType)
      throws IOException {
    String filter =
        artifactType.isEmpty() ? "" : "?artifactType=" + URLEncoder.encode(artifactType, UTF_8);
    Ask ask =
        Ask.of(
                host,
                reference,
                "GET",
                host.api(reference, "/referrers/" + subject + filter),
                Scopes.pull(reference))
            .header("Accept", MediaTypes.INDEX);
    List<Referrer> all = new ArrayList<>();
    Listing.Pages pages = new Listing.Pages(exchange, ask);
    boolean first = true;
    for (Optional<Exchange.Whole> page = pages.next(); page.isPresent(); page = pages.next()) {
      Answer answer = page.get().answer();
      if (first && NO_LIST.contains(answer.status())) {
        answer.drop();
        return byTag(host, reference, subject).stream()
            .filter(one -> fits(one, artifactType))
            .toList();
      }
      first = false;
      if (answer.status() != 200) {
        throw answer.failure();
      }
      boolean filtered =
          answer.headers("OCI-Filters-Applied").stream()
              .flatMap(text -> List.of(text.split(",", -1)).stream())
              .anyMatch(text -> text.strip().equals("artifactType"));
      read(page.get()).stream()
          .filter(one -> filtered || fits(one, artifactType))
          .forEach(all::add);
      if (all.size() > MOST) {
        throw new InvalidArgumentException(ask.words() + " lists referrers without end");
      }
    }
    return all;
  }

  private static boolean fits(Referrer one, String artifactType) {
    return artifactType.isEmpty() || one.artifactType().equals(artifactType);
  }

  private List<Referrer> byTag(Host host, Reference reference, Digest subject) throws IOException {
    Exchange.Whole whole =
        exchange.readIfGiven(
            Ask.of(
                    host,
                    reference,
                    "GET",
                    host.api(reference, "/manifests/" + tag(subject)),
                    Scopes.pull(reference))
                .header("Accept", MediaTypes.INDEX),
            ImageDocument.LONGEST);
    Answer answer = whole.answer();
    if (answer.status() == 404) {
      answer.drop();
      return List.of();
    }
    if (answer.status() != 200) {
      throw answer.failure();
    }
    return read(whole);
  }

  /** The tag at which clients keep what refers to a manifest ("referrers tag schema"). */
  static String tag(Digest subject) {
    return subject.algorithm() + "-" + subject.hex().substring(0, TAG_HEX);
  }

  private static List<Referrer> read(Exchange.Whole whole) throws IOException {
    Answer answer = whole.answer();
    JsonObject index = Answer.document(whole.bytes());
    try {
      List<Referrer> all = new ArrayList<>();
      for (JsonObject one :
          index
              .array("manifests")
              .orElseThrow(() -> new InvalidArgumentException("it has no manifests"))
              .objects()) {
        all.add(new Referrer(Descriptors.parse(one), one.string("artifactType").orElse("")));
      }
      return all;
    } catch (InvalidArgumentException e) {
      throw new UnavailableException(
          answer.ask().words()
              + " answered with what is no index: "
              + Printable.text(String.valueOf(e.getMessage())),
          e);
    }
  }
}
