package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Registries that speak the distribution protocol over HTTP.
 *
 * <p>Hosts on loopback are spoken to without TLS, as are those that the options name. A failure
 * names the image, the host and the status. Closing ends what still goes on.
 */
public final class DistributionRegistry implements Registry, AutoCloseable {
  private static final String ACCEPTED =
      String.join(
          ", ",
          MediaTypes.INDEX,
          MediaTypes.MANIFEST,
          MediaTypes.DOCKER_LIST,
          MediaTypes.DOCKER_MANIFEST,
          "*/*");
  private static final String CONTENT_DIGEST = "Docker-Content-Digest";
  private static final int TAGS_PAGE = 1000;
  private static final int MOST_TAGS = 1_000_000;
  private static final int LONGEST_TAGS = 16 << 20;
  private static final System.Logger LOG = System.getLogger(DistributionRegistry.class.getName());

  private final RegistryOptions options;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http;
  private final Exchange exchange;

  /** A client with these options. */
  public DistributionRegistry(RegistryOptions options) {
    this.options = options;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(options.connectTimeout())
            .executor(threads)
            .build();
    this.exchange = new Exchange(http, options);
  }

  @Override
  public Descriptor resolve(String text) {
    Reference reference = Reference.parse(text).withDefaultTag();
    Host host = host(reference);
    URI uri = host.api(reference, "/manifests/" + reference.object());
    Ask head =
        Ask.of(host, reference, "HEAD", uri, List.of(Ask.pull(reference)))
            .header("Accept", ACCEPTED);
    HttpResponse<InputStream> response = exchange.send(head);
    Answers.drop(response);
    Optional<Descriptor> announced =
        response.statusCode() == 200 ? announced(response) : Optional.empty();
    Descriptor descriptor = announced.orElseGet(() -> resolveByContent(head));
    if (reference.digest().isPresent() && !reference.digest().get().equals(descriptor.digest())) {
      throw new DataLossException(
          "image "
              + reference
              + ": registry "
              + host.name()
              + " answered with "
              + descriptor.digest());
    }
    return descriptor;
  }

  /** What the headers alone tell, if they tell all. */
  private static Optional<Descriptor> announced(HttpResponse<?> response) {
    String type = Answers.mediaType(response);
    Optional<String> digest = Answers.header(response, CONTENT_DIGEST);
    long size = response.headers().firstValueAsLong("Content-Length").orElse(-1);
    if (type.isEmpty() || digest.isEmpty() || size <= 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Descriptor(type, Digest.parse(digest.get()), size));
    } catch (InvalidArgumentException _) {
      return Optional.empty();
    }
  }

  /** Some servers refuse HEAD, or leave things out; a failure is explained only to a GET. */
  private Descriptor resolveByContent(Ask head) {
    Ask get =
        Ask.of(head.host(), head.reference(), "GET", head.uri(), head.scopes())
            .header("Accept", ACCEPTED);
    HttpResponse<InputStream> response = exchange.send(get);
    if (response.statusCode() != 200) {
      throw Answers.failure(get, response);
    }
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(ImageDocument.LONGEST + 1);
      if (bytes.length > ImageDocument.LONGEST) {
        throw new InvalidArgumentException(
            "image " + get.reference() + ": manifest is longer than " + ImageDocument.LONGEST);
      }
      String type = Answers.mediaType(response);
      return new Descriptor(
          MediaTypes.isIndex(type) || MediaTypes.isManifest(type) || MediaTypes.isSchema1(type)
              ? type
              : ImageDocument.parse(bytes, "").mediaType(),
          Digest.sha256(bytes),
          bytes.length);
    } catch (IOException e) {
      throw unavailable(get, e);
    }
  }

  @Override
  public InputStream fetch(String text, Descriptor descriptor, long offset) {
    Reference reference = Reference.parse(text);
    if (offset < 0 || offset > descriptor.size()) {
      throw new InvalidArgumentException(
          "content " + descriptor.digest() + ": offset " + offset + " is outside of it");
    }
    if (offset == descriptor.size()) {
      return InputStream.nullInputStream();
    }
    Host host = host(reference);
    boolean manifest = isManifest(descriptor);
    URI uri = host.api(reference, (manifest ? "/manifests/" : "/blobs/") + descriptor.digest());
    Ask ask = Ask.of(host, reference, "GET", uri, List.of(Ask.pull(reference)));
    Ask typed = manifest ? ask.header("Accept", descriptor.mediaType() + ", */*") : ask;
    try {
      return new ResumingStream(
          open(typed, offset),
          at -> open(typed, at),
          offset,
          descriptor.size(),
          options.attempts());
    } catch (IOException e) {
      throw unavailable(ask, e);
    }
  }

  private InputStream open(Ask ask, long offset) throws IOException {
    Ask ranged = offset == 0 ? ask : ask.header("Range", "bytes=" + offset + "-");
    HttpResponse<InputStream> response = exchange.send(ranged);
    return switch (response.statusCode()) {
      case 200 -> {
        InputStream body = response.body();
        try {
          body.skipNBytes(offset);
        } catch (IOException e) {
          body.close();
          throw e;
        }
        yield body;
      }
      case 206 -> {
        String range = Answers.header(response, "Content-Range").orElse("");
        if (!range.startsWith("bytes " + offset + "-")) {
          Answers.drop(response);
          throw new IOException("asked for bytes from " + offset + ", got \"" + range + "\"");
        }
        yield response.body();
      }
      default -> throw Answers.failure(ranged, response);
    };
  }

  @Override
  public boolean push(String text, Descriptor descriptor, Source source) {
    Reference reference = Reference.parse(text).withDefaultTag();
    return isManifest(descriptor)
        ? pushManifest(reference, descriptor, source)
        : pushBlob(reference, descriptor, source);
  }

  private boolean pushManifest(Reference reference, Descriptor descriptor, Source source) {
    Host host = host(reference);
    URI uri = host.api(reference, "/manifests/" + reference.object());
    List<String> scopes = List.of(Ask.push(reference));
    HttpResponse<InputStream> there =
        exchange.send(
            Ask.of(host, reference, "HEAD", uri, scopes)
                .header("Accept", descriptor.mediaType() + ", */*"));
    Answers.drop(there);
    String digest = descriptor.digest().toString();
    if (there.statusCode() == 200
        && Answers.header(there, CONTENT_DIGEST).filter(digest::equals).isPresent()) {
      return false;
    }
    Ask put =
        Ask.of(host, reference, "PUT", uri, scopes)
            .header("Content-Type", descriptor.mediaType())
            .body(descriptor.size(), () -> body(source, descriptor.size()));
    HttpResponse<InputStream> response = exchange.send(put);
    if (response.statusCode() / 100 != 2) {
      throw Answers.failure(put, response);
    }
    Answers.drop(response);
    checkDigest(put, response, digest);
    return true;
  }

  private boolean pushBlob(Reference reference, Descriptor descriptor, Source source) {
    Host host = host(reference);
    String digest = descriptor.digest().toString();
    Ask head =
        Ask.of(
            host,
            reference,
            "HEAD",
            host.api(reference, "/blobs/" + digest),
            List.of(Ask.push(reference)));
    HttpResponse<InputStream> there = exchange.send(head);
    Answers.drop(there);
    if (there.statusCode() == 200) {
      return false;
    }
    ContainerdException first = null;
    for (int attempt = 1; ; attempt++) {
      Optional<URI> upload = begin(host, reference, descriptor);
      if (upload.isEmpty()) {
        return false;
      }
      try {
        finish(host, reference, descriptor, source, upload.get());
        return true;
      } catch (UnavailableException e) {
        cancel(host, reference, upload.get());
        if (first != null) {
          e.addSuppressed(first);
        }
        first = e;
        if (attempt >= 2) {
          throw e;
        }
      } catch (ContainerdException e) {
        cancel(host, reference, upload.get());
        throw e;
      }
    }
  }

  /** Begins an upload; empty if the registry took the blob from another of its repositories. */
  private Optional<URI> begin(Host host, Reference reference, Descriptor descriptor) {
    Optional<String> from = otherRepository(reference, descriptor);
    List<String> scopes = new ArrayList<>(List.of(Ask.push(reference)));
    from.ifPresent(f -> scopes.add("repository:" + f + ":pull"));
    String query =
        from.map(f -> "?mount=" + descriptor.digest() + "&from=" + encoded(f)).orElse("");
    Ask post =
        Ask.of(host, reference, "POST", host.api(reference, "/blobs/uploads/" + query), scopes);
    HttpResponse<InputStream> response = exchange.send(post);
    if (response.statusCode() == 201) {
      Answers.drop(response);
      return Optional.empty();
    }
    Optional<String> location = Answers.header(response, "Location");
    if (response.statusCode() != 202 || location.isEmpty()) {
      throw Answers.failure(post, response);
    }
    Answers.drop(response);
    try {
      return Optional.of(NamedAddress.resolve(response.uri(), location.get()));
    } catch (IOException e) {
      throw new UnavailableException(
          "image "
              + reference
              + ": registry "
              + host.name()
              + " names a place of the upload that is not used: "
              + e.getMessage(),
          e);
    }
  }

  private static String encoded(String repository) {
    return URLEncoder.encode(repository, StandardCharsets.UTF_8).replace("%2F", "/");
  }

  private static Optional<String> otherRepository(Reference reference, Descriptor descriptor) {
    String sources =
        descriptor.annotations().getOrDefault(Labels.DISTRIBUTION_SOURCE + reference.domain(), "");
    for (String repository : sources.split(",", -1)) {
      if (!repository.isEmpty() && !repository.equals(reference.path())) {
        return Optional.of(repository);
      }
    }
    return Optional.empty();
  }

  private void finish(
      Host host, Reference reference, Descriptor descriptor, Source source, URI upload) {
    String text = upload.toString();
    URI uri =
        URI.create(text + (text.indexOf('?') < 0 ? "?" : "&") + "digest=" + descriptor.digest());
    Ask put =
        Ask.of(host, reference, "PUT", uri, List.of(Ask.push(reference)))
            .header("Content-Type", "application/octet-stream")
            .body(descriptor.size(), () -> body(source, descriptor.size()));
    HttpResponse<InputStream> response = exchange.send(put);
    if (response.statusCode() / 100 != 2) {
      throw response.statusCode() == 404
          ? new UnavailableException(
              "image " + reference + ": registry " + host.name() + " lost an upload",
              Answers.failure(put, response))
          : Answers.failure(put, response);
    }
    Answers.drop(response);
    checkDigest(put, response, descriptor.digest().toString());
  }

  /** Tells the registry to forget an upload; it would by itself, later. */
  private void cancel(Host host, Reference reference, URI upload) {
    try {
      Answers.drop(
          exchange.send(Ask.of(host, reference, "DELETE", upload, List.of(Ask.push(reference)))));
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.DEBUG, "an upload to {0} could not be cancelled", host.name(), e);
    }
  }

  private static void checkDigest(Ask put, HttpResponse<?> response, String digest) {
    Answers.header(response, CONTENT_DIGEST)
        .filter(stored -> !stored.equals(digest))
        .ifPresent(
            stored -> {
              throw new DataLossException(
                  "image "
                      + put.reference()
                      + ": registry "
                      + put.host().name()
                      + " stored "
                      + stored
                      + " instead of "
                      + digest);
            });
  }

  private static BodyPublisher body(Source source, long size) {
    if (size == 0) {
      return BodyPublishers.noBody();
    }
    return BodyPublishers.fromPublisher(
        BodyPublishers.ofInputStream(
            () -> {
              try {
                return source.open();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }),
        size);
  }

  @Override
  public List<String> tags(String text) {
    Reference reference = Reference.parse(text);
    Host host = host(reference);
    List<String> tags = new ArrayList<>();
    Optional<URI> next = Optional.of(host.api(reference, "/tags/list?n=" + TAGS_PAGE));
    while (next.isPresent()) {
      Ask ask = Ask.of(host, reference, "GET", next.get(), List.of(Ask.pull(reference)));
      HttpResponse<InputStream> response = exchange.send(ask);
      if (response.statusCode() != 200) {
        throw Answers.failure(ask, response);
      }
      try {
        List<String> page = Answers.document(response, LONGEST_TAGS).strings("tags");
        tags.addAll(page);
        next = page.isEmpty() ? Optional.empty() : nextPage(response);
      } catch (IOException e) {
        throw unavailable(ask, e);
      }
      if (tags.size() > MOST_TAGS) {
        throw new InvalidArgumentException(
            "image " + reference + ": registry " + host.name() + " lists tags without end");
      }
    }
    return tags.stream().distinct().sorted().toList();
  }

  private static Optional<URI> nextPage(HttpResponse<?> response) throws IOException {
    Optional<String> link =
        Answers.header(response, "Link").filter(text -> text.contains("rel=\"next\""));
    return link.isEmpty()
        ? Optional.empty()
        : Optional.of(NamedAddress.resolve(response.uri(), NamedAddress.ofLink(link.get())));
  }

  private Host host(Reference reference) {
    return Host.of(reference, options.plainHttp());
  }

  private static boolean isManifest(Descriptor descriptor) {
    String type = descriptor.mediaType();
    return MediaTypes.isManifest(type) || MediaTypes.isIndex(type) || MediaTypes.isSchema1(type);
  }

  private static UnavailableException unavailable(Ask ask, IOException e) {
    return new UnavailableException(
        "image " + ask.reference() + ": registry " + ask.host().name() + ": " + Exchange.text(e),
        e);
  }

  @Override
  public void close() {
    http.shutdownNow();
    threads.shutdownNow();
  }
}
