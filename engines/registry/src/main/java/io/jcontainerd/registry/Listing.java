package io.jcontainerd.registry;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Lists the tags of a repository at one host (distribution-spec, "listing tags"). */
final class Listing {
  private static final int PAGE = 1000;
  private static final int MOST = 1_000_000;
  private static final int LONGEST_PAGE = 16 << 20;

  private final Exchange exchange;

  Listing(Exchange exchange) {
    this.exchange = exchange;
  }

  /** All tags, in order. */
  List<String> tags(Host host, Reference reference) throws IOException {
    List<String> tags = new ArrayList<>();
    Ask first =
        Ask.of(
            host,
            reference,
            "GET",
            host.api(reference, "/tags/list?n=" + PAGE),
            Scopes.pull(reference));
    Pages pages = new Pages(exchange, first);
    for (Optional<Exchange.Whole> page = pages.next(); page.isPresent(); page = pages.next()) {
      if (page.get().answer().status() != 200) {
        throw page.get().answer().failure();
      }
      JsonObject document = Answer.document(page.get().bytes());
      try {
        tags.addAll(document.strings("tags"));
      } catch (InvalidArgumentException e) {
        throw new UnavailableException(
            first.words() + " answered with what is no list of tags: " + e.getMessage(), e);
      }
      if (tags.size() > MOST) {
        throw new InvalidArgumentException(first.words() + " lists tags without end");
      }
    }
    return tags.stream().distinct().sorted().toList();
  }

  /** The pages of a list, each naming the next (RFC 8288). */
  static final class Pages {
    private static final int MOST_PAGES = 10_000;

    private final Exchange exchange;
    private final Set<URI> seen = new HashSet<>();
    private Ask ask;
    private Optional<Exchange.Whole> last = Optional.empty();

    Pages(Exchange exchange, Ask first) {
      this.exchange = exchange;
      this.ask = first;
    }

    /**
     * The next page; empty after the last.
     *
     * @throws IOException if the page before names no usable next one, or one that was there before
     */
    Optional<Exchange.Whole> next() throws IOException {
      if (last.isPresent()) {
        Optional<String> link = WebLink.next(last.get().answer().headers("Link"));
        if (link.isEmpty()) {
          List<String> unread = last.get().answer().headers("Link");
          if (WebLink.parse(unread).isEmpty() && !unread.isEmpty()) {
            throw new FinalException("\"" + Printable.address(unread.getFirst()) + "\" is no link");
          }
          return Optional.empty();
        }
        URI next = NamedAddress.resolve(last.get().answer().from(), link.get());
        ask =
            new Ask(
                ask.host(),
                ask.reference(),
                ask.method(),
                next,
                ask.scopes(),
                ask.headers(),
                ask.body(),
                ask.manner());
      }
      if (!seen.add(ask.uri()) || seen.size() > MOST_PAGES) {
        throw new FinalException("lists pages without end");
      }
      last = Optional.of(exchange.readIfGiven(ask, LONGEST_PAGE));
      return last;
    }
  }
}
