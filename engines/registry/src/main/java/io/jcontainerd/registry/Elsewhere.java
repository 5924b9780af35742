package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A blob from the addresses that its descriptor names, one after the other, and again where what
 * failed may pass, for registries do not hold what must not be passed on. Nothing of what a
 * registry is told or knows of us goes there: no credentials, no configured headers, no
 * certificates. Whoever stores the blob compares it with its digest.
 */
final class Elsewhere implements ResumingStream.Opener {
  private static final int MOST_ADDRESSES = 16;
  private static final Duration DIAL = Duration.ofSeconds(30);

  /** Against which an address is read that must be whole. */
  private static final URI NOWHERE = URI.create("http://invalid/");

  private final RegistryOptions options;
  private final Line line;
  private final HttpClient http;
  private final Reference reference;
  private final Descriptor descriptor;
  private final NotFoundException why;
  private int next;

  /**
   * @param why the registry has it not
   */
  Elsewhere(
      RegistryOptions options,
      Clients clients,
      Reference reference,
      Descriptor descriptor,
      NotFoundException why)
      throws IOException {
    this.options = options;
    this.line = new Line(options);
    this.http = clients.usual(DIAL);
    this.reference = reference;
    this.descriptor = descriptor;
    this.why = why;
  }

  /** The bytes from an offset to the end. */
  InputStream stream(long offset) {
    return new ResumingStream(
        "content " + descriptor.digest() + " of image " + reference,
        this,
        offset,
        descriptor.size(),
        options.attempts());
  }

  @Override
  public ResumingStream.Opened open(long offset) {
    List<String> urls =
        descriptor.urls().subList(0, Math.min(MOST_ADDRESSES, descriptor.urls().size()));
    Map<Integer, IOException> failures = new TreeMap<>();
    try {
      for (int round = 1; ; round++) {
        for (int i = 0; i < urls.size(); i++) {
          int index = (next + i) % urls.size();
          IOException before = failures.get(index);
          if (before != null && !mayPass(before)) {
            continue;
          }
          try {
            ResumingStream.Opened opened = bytes(address(urls.get(index)), offset);
            next = index + 1;
            return opened;
          } catch (IOException e) {
            failures.put(index, e);
          }
        }
        if (round >= options.attempts()
            || failures.values().stream().noneMatch(Elsewhere::mayPass)) {
          throw failure(urls, failures);
        }
        pause(Exchange.backoff(round));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("content " + descriptor.digest(), e);
    }
  }

  private static boolean mayPass(IOException failure) {
    return !(failure instanceof FinalException)
        && !(failure instanceof NotThereException)
        && !Exchange.isOfCertificates(failure);
  }

  /** It is nowhere if everybody says so; who does not answer sensibly has not said it. */
  private ContainerdException failure(List<String> urls, Map<Integer, IOException> failures) {
    StringBuilder text = new StringBuilder(String.valueOf(why.getMessage()));
    failures.forEach(
        (index, failure) ->
            text.append("; elsewhere: ")
                .append(Printable.address(urls.get(index)))
                .append(": ")
                .append(Exchange.text(failure)));
    return failures.values().stream().allMatch(NotThereException.class::isInstance)
        ? new NotFoundException(text.toString(), why)
        : new UnavailableException(text.toString(), why);
  }

  private static URI address(String url) throws IOException {
    String lower = url.toLowerCase(Locale.ROOT);
    if (!lower.startsWith("http://") && !lower.startsWith("https://")) {
      throw new NotThereException("is no address of http");
    }
    try {
      return NamedAddress.resolve(NOWHERE, url);
    } catch (IOException e) {
      throw new NotThereException(Exchange.text(e));
    }
  }

  private ResumingStream.Opened bytes(URI uri, long offset)
      throws IOException, InterruptedException {
    Map<String, String> headers = offset > 0 ? Map.of("Range", "bytes=" + offset + "-") : Map.of();
    var question =
        new Line.Question(uri, "GET", uri, headers, Map.of(), Optional.empty(), true, false);
    HttpResponse<InputStream> answer = line.follow(http, question, "");
    try {
      int status = answer.statusCode();
      return switch (status) {
        case 200 -> {
          checkLength(answer, descriptor.size());
          yield new ResumingStream.Opened(answer.body(), offset, Printable.authority(uri));
        }
        case 206 -> {
          checkLength(answer, descriptor.size() - offset);
          Optional<ContentRange> range =
              ContentRange.parse(answer.headers().firstValue("Content-Range").orElse(""));
          if (range.filter(told -> told.is(offset, descriptor.size())).isEmpty()) {
            throw new FinalException("answered with another part than was asked for");
          }
          yield new ResumingStream.Opened(answer.body(), 0, Printable.authority(uri));
        }
        case 404, 410 -> throw new NotThereException("answered " + status);
        default ->
            throw Exchange.mayPass(status)
                ? new IOException("answered " + status)
                : new FinalException("answered " + status);
      };
    } catch (IOException e) {
      Answer.drop(answer);
      throw e;
    }
  }

  private static void checkLength(HttpResponse<InputStream> answer, long expected)
      throws IOException {
    OptionalLong told;
    try {
      told = answer.headers().firstValueAsLong("Content-Length");
    } catch (NumberFormatException _) {
      told = OptionalLong.empty();
    }
    if (told.isPresent() && told.getAsLong() != expected) {
      throw new FinalException(
          "announced %d bytes where %d were to be expected".formatted(told.getAsLong(), expected));
    }
    if (answer
        .headers()
        .firstValue("Content-Encoding")
        .filter(coding -> !coding.equalsIgnoreCase("identity"))
        .isPresent()) {
      throw new FinalException("answered with a content encoding that nobody asked for");
    }
  }

  @Override
  public void pause(Duration wait) throws InterruptedException {
    options.time().sleep(wait);
  }

  /** Who was asked, or would be, does not have it. */
  private static final class NotThereException extends IOException {
    private static final long serialVersionUID = 1L;

    NotThereException(String message) {
      super(message);
    }
  }
}
