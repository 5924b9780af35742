package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Proxies as the environment names them, by the rules that Go's programs, and so containerd,
 * follow.
 *
 * <ul>
 *   <li>{@code HTTPS_PROXY} is for addresses of https, {@code HTTP_PROXY} for those of http; in
 *       lower case when they are not there in upper case.
 *   <li>A proxy is {@code [http://][user:password@]host[:port]}; others are refused.
 *   <li>Nothing of this machine goes through a proxy.
 *   <li>{@code NO_PROXY} lists, with commas, what does not either: {@code *} for everything, an
 *       address, a range of addresses ({@code 10.0.0.0/8}), a name with all names below it, a name
 *       that begins with a dot or {@code *.} for only those below; each but a range may end in
 *       {@code :port}.
 * </ul>
 *
 * Immutable. It looks up no names.
 */
public final class EnvironmentProxies extends ProxySelector {
  private static final Pattern LITERAL = Pattern.compile("[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*");

  private record Via(InetSocketAddress address, String authorization) {}

  /** One thing that does not go through a proxy. */
  private sealed interface Direct {
    record Everything() implements Direct {}

    /** Empty port: any. */
    record Address(InetAddress address, String port) implements Direct {}

    record Range(InetAddress network, int bits) implements Direct {}

    record Name(String suffix, boolean itself, String port) implements Direct {}
  }

  private final Optional<Via> http;
  private final Optional<Via> https;
  private final List<Direct> directs;

  private EnvironmentProxies(Optional<Via> http, Optional<Via> https, List<Direct> directs) {
    this.http = http;
    this.https = https;
    this.directs = List.copyOf(directs);
  }

  /**
   * The proxies that an environment names.
   *
   * @throws InvalidArgumentException if one is named in a way that is not understood
   */
  public static EnvironmentProxies of(Map<String, String> environment) {
    return new EnvironmentProxies(
        via(environment, "HTTP_PROXY"),
        via(environment, "HTTPS_PROXY"),
        Arrays.stream(value(environment, "NO_PROXY").split(",", -1))
            .map(text -> text.strip().toLowerCase(Locale.ROOT))
            .filter(text -> !text.isEmpty())
            .map(EnvironmentProxies::direct)
            .flatMap(Optional::stream)
            .toList());
  }

  private static String value(Map<String, String> environment, String name) {
    String upper = environment.getOrDefault(name, "");
    return upper.isEmpty() ? environment.getOrDefault(name.toLowerCase(Locale.ROOT), "") : upper;
  }

  private static Optional<Via> via(Map<String, String> environment, String name) {
    String text = value(environment, name);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    URI uri;
    try {
      uri = URI.create(text.contains("://") ? text : "http://" + text);
    } catch (IllegalArgumentException _) { // whose message would hold the password
      throw new InvalidArgumentException(name + " is no address of a proxy");
    }
    String host = uri.getHost();
    if (host == null || !String.valueOf(uri.getScheme()).equals("http")) {
      throw new InvalidArgumentException(name + ": only proxies of http:// are spoken to");
    }
    String user = uri.getRawUserInfo();
    String authorization =
        user == null
            ? ""
            : "Basic "
                + Base64.getEncoder()
                    .encodeToString(
                        URLDecoder.decode(user.replace("+", "%2B"), UTF_8).getBytes(UTF_8));
    int port = uri.getPort() < 0 ? 80 : uri.getPort();
    return Optional.of(
        new Via(InetSocketAddress.createUnresolved(bare(host), port), authorization));
  }

  private static Optional<Direct> direct(String text) {
    if (text.equals("*")) {
      return Optional.of(new Direct.Everything());
    }
    int slash = text.indexOf('/');
    if (slash >= 0) {
      return range(text.substring(0, slash), text.substring(slash + 1));
    }
    String name = text;
    String port = "";
    int colon = text.lastIndexOf(':');
    boolean onlyColon = colon >= 0 && text.indexOf(':') == colon;
    if (colon >= 0 && (onlyColon || text.startsWith("[")) && colon > text.lastIndexOf(']')) {
      name = text.substring(0, colon);
      port = text.substring(colon + 1);
    }
    Optional<InetAddress> address = literal(bare(name));
    if (address.isPresent()) {
      return Optional.of(new Direct.Address(address.get(), port));
    }
    String suffix = name.startsWith("*.") ? name.substring(1) : name;
    boolean below = suffix.startsWith(".");
    return suffix.isEmpty()
        ? Optional.empty()
        : Optional.of(new Direct.Name(below ? suffix : "." + suffix, !below, port));
  }

  private static Optional<Direct> range(String network, String bits) {
    Optional<InetAddress> address = literal(network);
    if (address.isEmpty() || !bits.matches("[0-9]{1,3}")) {
      return Optional.empty();
    }
    int length = Integer.parseInt(bits);
    return length > address.get().getAddress().length * Byte.SIZE
        ? Optional.empty()
        : Optional.of(new Direct.Range(address.get(), length));
  }

  private static String bare(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  /** An address that is written as one; a name is not looked up. */
  private static Optional<InetAddress> literal(String text) {
    if (!LITERAL.matcher(text).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  @Override
  public List<Proxy> select(URI uri) {
    return via(uri)
        .map(via -> List.of(new Proxy(Proxy.Type.HTTP, resolved(via.address))))
        .orElse(List.of(Proxy.NO_PROXY));
  }

  private static InetSocketAddress resolved(InetSocketAddress address) {
    return new InetSocketAddress(address.getHostString(), address.getPort());
  }

  /** What proves to the proxy of an address who we are; empty if there is none or it asks not. */
  Optional<String> authorization(URI uri) {
    return via(uri).map(Via::authorization).filter(text -> !text.isEmpty());
  }

  private Optional<Via> via(URI uri) {
    boolean secure = "https".equals(uri.getScheme());
    String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
    String port = Integer.toString(uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80);
    Optional<InetAddress> address = literal(bare(host));
    boolean here =
        Resolution.isLoopback(host) || address.filter(InetAddress::isLoopbackAddress).isPresent();
    if (here || directs.stream().anyMatch(one -> covers(one, bare(host), address, port))) {
      return Optional.empty();
    }
    return secure ? https : http;
  }

  private static boolean covers(
      Direct direct, String host, Optional<InetAddress> address, String port) {
    return switch (direct) {
      case Direct.Everything() -> true;
      case Direct.Address(InetAddress own, String at) ->
          address.filter(own::equals).isPresent() && (at.isEmpty() || at.equals(port));
      case Direct.Range(InetAddress network, int bits) ->
          address.filter(one -> within(one.getAddress(), network.getAddress(), bits)).isPresent();
      case Direct.Name(String suffix, boolean itself, String at) ->
          (host.endsWith(suffix) || (itself && host.equals(suffix.substring(1))))
              && (at.isEmpty() || at.equals(port));
    };
  }

  private static boolean within(byte[] address, byte[] network, int bits) {
    if (address.length != network.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      int mask = 0x80 >> (bit % Byte.SIZE);
      if (((address[bit / Byte.SIZE] ^ network[bit / Byte.SIZE]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Nothing is learnt from a proxy that fails: the environment names no other. */
  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
}
