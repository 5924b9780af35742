package io.jcontainerd.registry;

import io.jcontainerd.registry.hosts.Attempt;
import io.jcontainerd.registry.hosts.ClientCertificate;
import io.jcontainerd.registry.hosts.TlsSettings;
import java.io.IOException;
import java.net.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * What speaks HTTP: one client for each way of TLS and dialling, so that hosts with the same share
 * it. A client whose certificate files have changed is made anew. Safe for many threads; closing
 * ends what still goes on.
 */
final class Clients implements AutoCloseable {
  private static final Duration LONGEST_PROBE = Duration.ofSeconds(10);

  private record Key(TlsSettings tls, Duration dial) {}

  private record Client(HttpClient http, Map<Path, FileTime> files) {}

  private final RegistryOptions options;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<Key, Client> clients = new ConcurrentHashMap<>();
  private final Map<String, Boolean> speakTls = new ConcurrentHashMap<>();

  Clients(RegistryOptions options) {
    this.options = options;
  }

  /**
   * The host, ready to be spoken to.
   *
   * @throws IOException if a certificate cannot be read
   */
  Host host(Attempt attempt, int tries) throws IOException {
    URI base = attempt.base(speaksTls(attempt));
    TlsSettings tls = base.getScheme().equals("https") ? attempt.tls() : TlsSettings.USUAL;
    return new Host(attempt, base, client(new Key(tls, attempt.dialTimeout())), tries);
  }

  private boolean speaksTls(Attempt attempt) {
    return switch (attempt.transport()) {
      case HTTPS -> true;
      case HTTP -> false;
      case HTTPS_OR_HTTP -> {
        Boolean known = speakTls.get(attempt.authority());
        yield known != null ? known : findOut(attempt);
      }
    };
  }

  private boolean findOut(Attempt attempt) {
    if (isBehindProxy(attempt.base(true))) {
      return true;
    }
    return switch (TlsProbe.ask(attempt.host(), attempt.port(), attempt.dialTimeout(), probe())) {
      case TLS -> known(attempt, true);
      case NO_TLS -> known(attempt, false);
      case NO_CONNECTION -> false; // and the next time we look again
    };
  }

  /** Little of what is waited for an answer, which comes after. */
  private Duration probe() {
    Duration share = options.answerTimeout().dividedBy(5);
    return share.compareTo(LONGEST_PROBE) < 0 ? share : LONGEST_PROBE;
  }

  private boolean known(Attempt attempt, boolean tls) {
    speakTls.put(attempt.authority(), tls);
    return tls;
  }

  private boolean isBehindProxy(URI uri) {
    return options.proxies().select(uri).stream()
        .anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT);
  }

  /** Whoever could not be reached may come back as another. */
  void forget(Attempt attempt) {
    speakTls.remove(attempt.authority());
  }

  /**
   * Two that come at once may both make a client; one of them is kept. Whoever was replaced ends by
   * itself when nobody holds it any more.
   */
  private HttpClient client(Key key) throws IOException {
    Map<Path, FileTime> files = files(key.tls);
    Client known = clients.get(key);
    if (known != null && known.files.equals(files)) {
      return known.http;
    }
    Client made = new Client(make(key), files);
    return clients.merge(
            key, made, (before, after) -> before.files.equals(after.files) ? before : after)
        .http;
  }

  private HttpClient make(Key key) throws IOException {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(key.dial)
            .proxy(options.proxies())
            .executor(threads);
    if (!key.tls.equals(TlsSettings.USUAL)) {
      builder.sslContext(Tls.context(key.tls));
    }
    return builder.build();
  }

  /** A client for whoever is no registry: the usual authorities, and nothing to show. */
  HttpClient usual(Duration dial) throws IOException {
    return client(new Key(TlsSettings.USUAL, dial));
  }

  private static Map<Path, FileTime> files(TlsSettings tls) throws IOException {
    Map<Path, FileTime> files = new HashMap<>();
    for (Path file :
        Stream.concat(tls.authorities().stream(), tls.clients().stream().flatMap(Clients::files))
            .toList()) {
      try {
        files.put(file, Files.getLastModifiedTime(file));
      } catch (IOException e) {
        throw new IOException(file + " cannot be read", e);
      }
    }
    return files;
  }

  private static Stream<Path> files(ClientCertificate client) {
    return Stream.concat(Stream.of(client.certificate()), client.key().stream());
  }

  @Override
  public void close() {
    clients.values().forEach(client -> client.http.shutdownNow());
    threads.shutdownNow();
  }
}
