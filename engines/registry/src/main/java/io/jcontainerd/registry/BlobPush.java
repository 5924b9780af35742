package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Brings a blob to one host (distribution-spec, "pushing blobs"): not at all if it is there, by
 * taking it from another repository of the registry if that may be, else by an upload. An upload
 * that the registry forgot is begun again.
 */
final class BlobPush {
  private static final int UPLOADS = 3;
  private static final System.Logger LOG = System.getLogger(BlobPush.class.getName());

  private final RegistryOptions options;
  private final Exchange exchange;

  BlobPush(RegistryOptions options, Exchange exchange) {
    this.options = options;
    this.exchange = exchange;
  }

  /** Whether anything had to be sent. */
  boolean push(Host host, Reference reference, Descriptor descriptor, Registry.Source source)
      throws IOException {
    if (isThere(host, reference, descriptor)) {
      return false;
    }
    ContainerdException before = null;
    for (int number = 1; ; number++) {
      Optional<Upload> upload = begin(host, reference, descriptor, source);
      if (upload.isEmpty()) {
        return false;
      }
      try {
        upload.get().send();
        return true;
      } catch (Upload.LostException e) {
        cancel(upload.get());
        ContainerdException lost =
            new UnavailableException(
                "image %s: registry %s lost an upload: %s"
                    .formatted(reference, host.name(), e.getMessage()),
                e);
        if (before != null) {
          lost.addSuppressed(before);
        }
        before = lost;
        if (isThere(host, reference, descriptor)) {
          return true; // it came in, and only the answer was lost
        }
        if (number >= UPLOADS) {
          throw lost;
        }
      } catch (IOException | RuntimeException e) {
        cancel(upload.get());
        throw e;
      }
    }
  }

  private boolean isThere(Host host, Reference reference, Descriptor descriptor) {
    Answer head =
        exchange.send(
            Ask.of(
                host,
                reference,
                "HEAD",
                host.api(reference, "/blobs/" + descriptor.digest()),
                Scopes.push(reference)));
    head.drop();
    OptionalLong length = head.length();
    return head.status() == 200 && (length.isEmpty() || length.getAsLong() == descriptor.size());
  }

  /** Begins an upload; empty if the registry took the blob from another of its repositories. */
  private Optional<Upload> begin(
      Host host, Reference reference, Descriptor descriptor, Registry.Source source)
      throws IOException {
    Optional<String> from = otherRepository(reference, descriptor);
    Answer answer;
    if (from.isPresent()) {
      Optional<Answer> mount = mount(host, reference, descriptor, from.get());
      if (mount.filter(taken -> taken.status() == 201).isPresent()) {
        mount.get().drop();
        return Optional.empty();
      }
      answer =
          mount.isPresent()
              ? mount.get()
              : exchange.send(post(host, reference, "", Scopes.push(reference)));
    } else {
      answer = exchange.send(post(host, reference, "", Scopes.push(reference)));
    }
    Optional<String> location = answer.header("Location");
    if (answer.status() != 202 || location.isEmpty()) {
      throw answer.failure();
    }
    answer.drop();
    try {
      return Optional.of(
          new Upload(options, exchange, host, reference, descriptor, source, answer));
    } catch (IOException e) {
      throw new UnavailableException(
          answer.ask().words() + " names a place of the upload that is not used: " + e.getMessage(),
          e);
    }
  }

  /**
   * Asks for the blob of another repository; the answer begins an upload if that cannot be. Empty
   * if we are not allowed to ask, or the question is not understood.
   */
  private Optional<Answer> mount(
      Host host, Reference reference, Descriptor descriptor, String from) {
    String query = "?mount=" + descriptor.digest() + "&from=" + encoded(from);
    Scopes scopes = Scopes.push(reference).and(Scopes.pull(from));
    try {
      Answer answer = exchange.send(post(host, reference, query, scopes));
      if (answer.isGood()) {
        return Optional.of(answer);
      }
      answer.drop();
    } catch (ContainerdException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      LOG.log(
          System.Logger.Level.DEBUG, "{0} cannot be taken from {1}", descriptor.digest(), from, e);
    }
    return Optional.empty();
  }

  private static Ask post(Host host, Reference reference, String query, Scopes scopes) {
    return Ask.of(host, reference, "POST", host.api(reference, "/blobs/uploads/" + query), scopes)
        .manner(Ask.Manner.SPARING);
  }

  private static String encoded(String repository) {
    return URLEncoder.encode(repository, StandardCharsets.UTF_8).replace("%2F", "/");
  }

  private static Optional<String> otherRepository(Reference reference, Descriptor descriptor) {
    String sources =
        descriptor.annotations().getOrDefault(Labels.DISTRIBUTION_SOURCE + reference.domain(), "");
    return List.of(sources.split(",", -1)).stream()
        .filter(repository -> !repository.isEmpty() && !repository.equals(reference.path()))
        .findFirst();
  }

  /** Tells the registry to forget an upload; it would by itself, later. */
  private void cancel(Upload upload) {
    if (Thread.currentThread().isInterrupted()) {
      return; // whoever interrupted us does not wait for this
    }
    try {
      exchange.send(upload.cancellation()).drop();
    } catch (NotFoundException | UnavailableException e) {
      LOG.log(System.Logger.Level.DEBUG, "an upload could not be cancelled", e);
    }
  }
}
