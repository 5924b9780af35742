package io.jcontainerd.registry.hosts;

import io.jcontainerd.oci.reference.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Whom to ask for an image, and in which order: a pure function of what is configured, the
 * reference and what is wanted. It looks at no file and no network.
 *
 * <ol>
 *   <li>Mirrors come in the order of their file, then the registry itself. Who lacks the capability
 *       is left out, so the list may be empty.
 *   <li>When one fails, for whatever reason, the next is asked; a push goes to the first alone.
 *   <li>Without {@code server} the last is the registry of the reference with all capabilities
 *       below {@code /v2}; what is said of TLS and headers at the top still holds for it.
 *   <li>The registry of docker.io is registry-1.docker.io.
 *   <li>On loopback any certificate is believed unless somebody said otherwise; on a port that is
 *       neither 443 nor 80, the registry there is spoken to with TLS if it speaks it.
 *   <li>The same holds for an address of {@code http} on a port other than 80 for which anything is
 *       said of TLS.
 *   <li>Whoever is not the registry itself is told in whose place it is asked, and is shown
 *       credentials of its own only.
 * </ol>
 */
public final class Resolution {
  /** The longest wait for a connection where nothing is said. */
  public static final Duration DIAL_TIMEOUT = Duration.ofSeconds(30);

  private static final String DOCKER_REGISTRY = "registry-1.docker.io";
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1])(?::[0-9]+)?");

  private Resolution() {}

  /**
   * The attempts, in order.
   *
   * @param plainHttp whether the registry itself is to be spoken to without TLS
   */
  public static List<Attempt> attempts(
      HostsConfig config, Reference reference, Operation operation, boolean plainHttp) {
    Capability needed = operation.needed(reference);
    List<Attempt> able =
        order(config, reference, plainHttp).stream()
            .filter(attempt -> attempt.capabilities().contains(needed))
            .toList();
    return operation == Operation.PUSH && !able.isEmpty() ? able.subList(0, 1) : able;
  }

  /** Everybody who is asked for anything, in order. */
  public static List<Attempt> order(HostsConfig config, Reference reference, boolean plainHttp) {
    String registry = reference.domain();
    List<Attempt> attempts = new ArrayList<>();
    for (HostsConfig.Mirror mirror : config.mirrors()) {
      attempts.add(configured(registry, mirror.address(), mirror.settings()));
    }
    attempts.add(
        config.server().isPresent()
            ? configured(registry, config.server().get(), config.root())
            : usual(registry, config.root(), plainHttp));
    return attempts;
  }

  /** Whether a name, with or without a port, is of this machine. */
  public static boolean isLoopback(String authority) {
    return LOOPBACK.matcher(authority).matches();
  }

  private static Attempt configured(String registry, HostAddress address, HostSettings settings) {
    boolean own = isOwn(registry, address.authority());
    Attempt.Transport transport =
        address.scheme().equals("https")
            ? Attempt.Transport.HTTPS
            : plain(address.authority(), settings.tls());
    return attempt(
        transport,
        address.authority(),
        address.apiPath(settings.overridePath()),
        settings,
        own ? Optional.empty() : Optional.of(registry),
        own ? registry : address.authority());
  }

  private static Attempt usual(String registry, HostSettings root, boolean plainHttp) {
    String authority = registry.equals(Reference.DEFAULT_DOMAIN) ? DOCKER_REGISTRY : registry;
    String port = port(authority);
    TlsSettings tls = root.tls();
    Attempt.Transport transport = Attempt.Transport.HTTPS;
    if (plainHttp) {
      transport = Attempt.Transport.HTTP;
    } else if (isLoopback(authority)) {
      tls = port.equals("80") ? tls : tls.skippingVerificationUnlessSaid();
      boolean surely = port.isEmpty() || port.equals("443");
      transport = surely ? Attempt.Transport.HTTPS : plain(authority, tls);
    }
    HostSettings settings =
        new HostSettings(Capability.all(), false, tls, root.headers(), root.dialTimeout());
    return attempt(transport, authority, "/v2", settings, Optional.empty(), registry);
  }

  private static Attempt.Transport plain(String authority, TlsSettings tls) {
    return tls.isConfigured() && !port(authority).equals("80")
        ? Attempt.Transport.HTTPS_OR_HTTP
        : Attempt.Transport.HTTP;
  }

  private static Attempt attempt(
      Attempt.Transport transport,
      String authority,
      String path,
      HostSettings settings,
      Optional<String> namespace,
      String credentials) {
    return new Attempt(
        transport,
        authority,
        path,
        settings.capabilities(),
        settings.tls(),
        settings.headers(),
        settings.dialTimeout().orElse(DIAL_TIMEOUT),
        namespace,
        credentials);
  }

  private static boolean isOwn(String registry, String authority) {
    return authority.equals(registry)
        || (registry.equals(Reference.DEFAULT_DOMAIN) && authority.equals(DOCKER_REGISTRY));
  }

  private static String port(String authority) {
    int colon = Attempt.portColon(authority);
    return colon < 0 ? "" : authority.substring(colon + 1);
  }
}
