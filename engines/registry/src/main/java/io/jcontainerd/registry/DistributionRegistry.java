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
import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.registry.hosts.Operation;
import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Registries that speak the distribution protocol over HTTP.
 *
 * <p>Who is asked, in which order and how, is told by the configuration of the registry; see {@link
 * Resolution}. A failure names the image, and of each host that was asked the status or reason and
 * as whom we asked. Closing ends what still goes on.
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
  private final Clients clients;
  private final Exchange exchange;
  private final Trials trials;
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  /** A client with these options. */
  public DistributionRegistry(RegistryOptions options) {
    this.options = options;
    this.clients = new Clients(options);
    this.exchange = new Exchange(options);
    this.trials = new Trials(clients, options.attempts(), options.time());
  }

  /** Whom to ask. What is wrong with the configuration is logged once. */
  private List<Attempt> attempts(Reference reference, Operation operation) {
    String registry = reference.domain();
    HostsDirectory.Loaded loaded = options.hosts().load(registry);
    for (String error : loaded.errors()) {
      if (told.add(error)) {
        LOG.log(System.Logger.Level.ERROR, "{0}; the file is not used", error);
      }
    }
    for (String warning : loaded.warnings()) {
      if (told.add(warning)) {
        LOG.log(System.Logger.Level.WARNING, warning);
      }
    }
    return Resolution.attempts(
        loaded.config(), reference, operation, options.plainHttp().test(registry));
  }

  private <T> T ask(Reference reference, Operation operation, Trials.Question<T> question) {
    return trials.first(reference, operation, attempts(reference, operation), 0, question).answer();
  }

  @Override
  public Descriptor resolve(String text) {
    Reference reference = Reference.parse(text).withDefaultTag();
    return ask(reference, Operation.RESOLVE, host -> resolve(host, reference));
  }

  private Descriptor resolve(Host host, Reference reference) throws IOException {
    URI uri = host.api(reference, "/manifests/" + reference.object());
    Ask head =
        Ask.of(host, reference, "HEAD", uri, List.of(Ask.pull(reference)))
            .header("Accept", ACCEPTED);
    HttpResponse<InputStream> response = exchange.send(head);
    Answers.drop(response);
    Optional<Descriptor> announced =
        response.statusCode() == 200 ? announced(response) : Optional.empty();
    Descriptor descriptor = announced.isPresent() ? announced.get() : resolveByContent(head);
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
  private Descriptor resolveByContent(Ask head) throws IOException {
    Ask get =
        Ask.of(head.host(), head.reference(), "GET", head.uri(), head.scopes())
            .header("Accept", ACCEPTED);
    HttpResponse<InputStream> response = exchange.send(get);
    if (response.statusCode() != 200) {
      throw exchange.failure(get, response);
    }
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(ImageDocument.LONGEST + 1);
      if (bytes.length > ImageDocument.LONGEST) {
        throw new InvalidArgumentException(
            "image " + get.reference() + ": manifest is longer than " + ImageDocument.LONGEST);
      }
      String type = Answers.mediaType(response);
      boolean known =
          MediaTypes.isIndex(type) || MediaTypes.isManifest(type) || MediaTypes.isSchema1(type);
      return new Descriptor(known ? type : typeOf(get, bytes), Digest.sha256(bytes), bytes.length);
    }
  }

  private static String typeOf(Ask get, byte[] manifest) {
    try {
      return ImageDocument.parse(manifest, "").mediaType();
    } catch (InvalidArgumentException e) {
      throw new InvalidArgumentException(
          "image "
              + get.reference()
              + ": registry "
              + get.host().name()
              + " answered with what is no manifest: "
              + e.getMessage(),
          e);
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
    Download download = new Download(reference, descriptor);
    return new ResumingStream(
        download.open(offset), download, offset, descriptor.size(), options.attempts());
  }

  /** One blob of whoever has it; when a line breaks, the next host is asked for the rest. */
  private final class Download implements ResumingStream.Opener {
    private final Reference reference;
    private final Descriptor descriptor;
    private final List<Attempt> attempts;
    private int next;

    Download(Reference reference, Descriptor descriptor) {
      this.reference = reference;
      this.descriptor = descriptor;
      this.attempts = attempts(reference, Operation.PULL);
    }

    @Override
    public InputStream open(long offset) {
      Trials.Served<InputStream> served =
          trials.first(
              reference,
              Operation.PULL,
              attempts,
              next,
              host -> DistributionRegistry.this.open(ask(host), offset));
      next = (served.index() + 1) % attempts.size();
      return served.answer();
    }

    private Ask ask(Host host) {
      boolean manifest = isManifest(descriptor);
      URI uri = host.api(reference, (manifest ? "/manifests/" : "/blobs/") + descriptor.digest());
      Ask ask = Ask.of(host, reference, "GET", uri, List.of(Ask.pull(reference)));
      return manifest ? ask.header("Accept", descriptor.mediaType() + ", */*") : ask;
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
      default -> throw exchange.failure(ranged, response);
    };
  }

  @Override
  public boolean push(String text, Descriptor descriptor, Source source) {
    Reference reference = Reference.parse(text).withDefaultTag();
    return ask(
        reference,
        Operation.PUSH,
        host ->
            isManifest(descriptor)
                ? pushManifest(host, reference, descriptor, source)
                : pushBlob(host, reference, descriptor, source));
  }

  private boolean pushManifest(
      Host host, Reference reference, Descriptor descriptor, Source source) {
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
      throw exchange.failure(put, response);
    }
    Answers.drop(response);
    checkDigest(put, response, digest);
    return true;
  }

  private boolean pushBlob(Host host, Reference reference, Descriptor descriptor, Source source) {
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
      throw exchange.failure(post, response);
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
              exchange.failure(put, response))
          : exchange.failure(put, response);
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
    Reference repository =
        new Reference(reference.domain(), reference.path(), Optional.empty(), Optional.empty());
    return ask(repository, Operation.RESOLVE, host -> tags(host, repository));
  }

  private List<String> tags(Host host, Reference reference) throws IOException {
    List<String> tags = new ArrayList<>();
    Optional<URI> next = Optional.of(host.api(reference, "/tags/list?n=" + TAGS_PAGE));
    while (next.isPresent()) {
      Ask ask = Ask.of(host, reference, "GET", next.get(), List.of(Ask.pull(reference)));
      HttpResponse<InputStream> response = exchange.send(ask);
      if (response.statusCode() != 200) {
        throw exchange.failure(ask, response);
      }
      List<String> page = Answers.document(response, LONGEST_TAGS).strings("tags");
      tags.addAll(page);
      next = page.isEmpty() ? Optional.empty() : nextPage(response);
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

  private static boolean isManifest(Descriptor descriptor) {
    String type = descriptor.mediaType();
    return MediaTypes.isManifest(type) || MediaTypes.isIndex(type) || MediaTypes.isSchema1(type);
  }

  @Override
  public void close() {
    clients.close();
  }
}
