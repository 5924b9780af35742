package io.jcontainerd.registry.docker;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.Credentials;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@code config.json} of Docker says of credentials. Reading it runs nothing.
 *
 * @param source how messages name the file
 * @param auths credentials in the file itself, by the names it gives
 * @param helpers the helper to ask, by registry
 * @param store the helper to ask for all others; may be empty
 */
public record DockerConfig(
    String source, Map<String, Credentials> auths, Map<String, String> helpers, String store) {
  /** The name under which Docker's own registry is known to Docker. */
  private static final String DOCKER_KEY = "https://index.docker.io/v1/";

  private static final List<String> DOCKER_HOSTS =
      List.of("index.docker.io", Reference.DEFAULT_DOMAIN, "registry-1.docker.io");

  /** Copies the maps. */
  public DockerConfig {
    auths = Map.copyOf(auths);
    helpers = Map.copyOf(helpers);
  }

  /** Nothing is known. */
  static DockerConfig none(String source) {
    return new DockerConfig(source, Map.of(), Map.of(), "");
  }

  /**
   * Reads the file's text.
   *
   * @throws InvalidArgumentException naming the file and what is wrong; never a secret
   */
  public static DockerConfig parse(String source, byte[] text) {
    JsonObject all;
    try {
      all = JsonObject.parse(text);
    } catch (InvalidArgumentException e) {
      // the cause may quote the text, and so a secret
      throw new InvalidArgumentException(source + ": is no json object");
    }
    try {
      Map<String, Credentials> auths = new LinkedHashMap<>();
      JsonObject entries = all.object("auths").orElse(JsonObject.EMPTY);
      for (String name : entries.fields().keySet()) {
        JsonObject entry = entries.object(name).orElse(JsonObject.EMPTY);
        entry(source, name, entry).ifPresent(known -> auths.put(name, known));
      }
      Map<String, String> helpers = new LinkedHashMap<>();
      all.stringMap("credHelpers")
          .forEach((host, helper) -> helpers.put(host, checked(source, helper)));
      String store = all.string("credsStore").orElse("");
      return new DockerConfig(
          source, auths, helpers, store.isEmpty() ? "" : checked(source, store));
    } catch (InvalidArgumentException e) {
      String message = String.valueOf(e.getMessage());
      throw message.startsWith(source) ? e : new InvalidArgumentException(source + ": " + message);
    }
  }

  private static Optional<Credentials> entry(String source, String name, JsonObject entry) {
    String shown = entry.string("registrytoken").orElse("");
    if (!shown.isEmpty()) {
      return Optional.of(Credentials.registryToken(shown, source));
    }
    String token = entry.string("identitytoken").orElse("");
    if (!token.isEmpty()) {
      return Optional.of(new Credentials("", token, source));
    }
    String user = entry.string("username").orElse("");
    String password = entry.string("password").orElse("");
    String auth = entry.string("auth").orElse("");
    if (!auth.isEmpty()) {
      String pair;
      try {
        pair = new String(Base64.getDecoder().decode(auth), UTF_8);
      } catch (IllegalArgumentException _) {
        throw new InvalidArgumentException(source + ": auths.\"" + name + "\".auth is no base64");
      }
      int colon = pair.indexOf(':');
      if (colon < 1) {
        throw new InvalidArgumentException(
            source + ": auths.\"" + name + "\".auth is no user:password");
      }
      user = pair.substring(0, colon);
      password = pair.substring(colon + 1).replaceAll("\\x00+$", "");
    }
    return user.isEmpty() ? Optional.empty() : Optional.of(new Credentials(user, password, source));
  }

  /** A helper's name becomes part of a program's name. */
  private static String checked(String source, String helper) {
    if (!helper.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*")) {
      throw new InvalidArgumentException(source + ": \"" + helper + "\" is no name of a helper");
    }
    return helper;
  }

  /** The helper to ask for a registry, which goes before what the file itself knows. */
  public Optional<String> helper(String registry) {
    return lookUp(helpers, registry)
        .or(() -> store.isEmpty() ? Optional.empty() : Optional.of(store));
  }

  /** What the file itself knows of a registry. */
  public Optional<Credentials> own(String registry) {
    return lookUp(auths, registry);
  }

  /** How a registry is named to a helper; the same for all names of Docker's own. */
  public static String serverName(String registry) {
    return DOCKER_HOSTS.contains(registry) ? DOCKER_KEY : registry;
  }

  private static <T> Optional<T> lookUp(Map<String, T> all, String registry) {
    T exact = all.get(serverName(registry));
    if (exact == null) {
      exact = all.get(registry);
    }
    return exact != null
        ? Optional.of(exact)
        : all.entrySet().stream()
            .filter(entry -> same(host(entry.getKey()), registry))
            .sorted(Map.Entry.comparingByKey())
            .map(Map.Entry::getValue)
            .findFirst();
  }

  private static boolean same(String host, String registry) {
    return host.equals(registry)
        || (DOCKER_HOSTS.contains(host) && DOCKER_HOSTS.contains(registry));
  }

  /** Old files name registries by address, with scheme and path. */
  private static String host(String key) {
    return key.replaceFirst("^https?://", "").replaceFirst("/.*$", "");
  }

  /** What would be shown to a registry, for messages; runs nothing. */
  public String words(String registry) {
    Optional<String> helper = helper(registry);
    if (helper.isPresent()) {
      return "whatever " + CredentialHelper.program(helper.get()) + " knows";
    }
    return own(registry).map(Credentials::words).orElse("none");
  }
}
