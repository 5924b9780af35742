package io.jcontainerd.oci.reference;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of an image in a registry: {@code host[:port]/path[:tag][@digest]}.
 *
 * @param domain the registry's host, with its port if not the usual
 * @param path the repository in it
 * @param tag which of its images, by a name that can move
 * @param digest which of its images, by its content
 */
public record Reference(String domain, String path, Optional<String> tag, Optional<Digest> digest) {
  /** The registry of names without a host. */
  public static final String DEFAULT_DOMAIN = "docker.io";

  /** The tag of names without a tag or digest. */
  public static final String DEFAULT_TAG = "latest";

  private static final int LONGEST_NAME = 255;

  /** A name, a tag and a digest, with what stands between them; more is not looked at. */
  private static final int LONGEST_TEXT = LONGEST_NAME + 1 + 128 + 1 + "sha512:".length() + 128;

  private static final String COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
  private static final String LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
  private static final Pattern DOMAIN =
      Pattern.compile("(?:" + LABEL + "(?:\\." + LABEL + ")*|\\[[a-fA-F0-9:]+])(?::[0-9]+)?");
  private static final Pattern PATH = Pattern.compile(COMPONENT + "(?:/" + COMPONENT + ")*");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
  private static final Pattern WHOLE =
      Pattern.compile("(?<name>[^@]+?)(?::(?<tag>[^:/@]*))?(?:@(?<digest>.*))?");
  private static final Pattern HEX_NAME = Pattern.compile("[a-f0-9]{64}");

  /** Refuses parts that break the grammar. */
  public Reference {
    if (domain.length() + 1 + path.length() > LONGEST_NAME) {
      throw invalid(domain + "/" + path, "longer than " + LONGEST_NAME + " characters");
    }
    if (!DOMAIN.matcher(domain).matches()) {
      throw invalid(domain + "/" + path, "host " + domain + " is not valid");
    }
    if (!PATH.matcher(path).matches()) {
      boolean upper = PATH.matcher(path.toLowerCase(Locale.ROOT)).matches();
      throw invalid(
          domain + "/" + path,
          upper ? "repository names are lower case" : "repository " + path + " is not valid");
    }
    if (tag.isPresent() && !TAG.matcher(tag.get()).matches()) {
      throw invalid(domain + "/" + path, "tag " + tag.get() + " is not valid");
    }
  }

  /**
   * Reads a name as people write it: without a host it is in Docker's registry, there without a
   * folder in {@code library}. A missing tag stays missing; see {@link #withDefaultTag}.
   *
   * @throws InvalidArgumentException when it is no name of an image
   */
  public static Reference parse(String text) {
    if (text.length() > LONGEST_TEXT) {
      throw invalid(
          text.substring(0, 64) + "\u2026", "longer than " + LONGEST_TEXT + " characters");
    }
    if (HEX_NAME.matcher(text).matches()) {
      throw invalid(text, "64 hexadecimal digits are an id, not a name");
    }
    Matcher whole = WHOLE.matcher(text);
    if (!whole.matches()) {
      throw invalid(text, text.isEmpty() ? "empty" : "not host/path:tag@digest");
    }
    String name = whole.group("name");
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    boolean hasDomain = looksLikeHost(first);
    String domain = hasDomain ? first : DEFAULT_DOMAIN;
    String path = hasDomain ? name.substring(slash + 1) : name;
    if (domain.equals("index.docker.io")) {
      domain = DEFAULT_DOMAIN;
    }
    if (domain.equals(DEFAULT_DOMAIN) && path.indexOf('/') < 0) {
      path = "library/" + path;
    }
    try {
      return new Reference(
          domain,
          path,
          Optional.ofNullable(whole.group("tag")),
          Optional.ofNullable(whole.group("digest")).map(Digest::parse));
    } catch (InvalidArgumentException e) {
      throw new InvalidArgumentException("image reference \"" + text + "\": " + e.getMessage(), e);
    }
  }

  /** Whether what stands before the first slash is a host and not a folder in Docker's registry. */
  private static boolean looksLikeHost(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || first.chars().anyMatch(Character::isUpperCase);
  }

  private static InvalidArgumentException invalid(String text, String why) {
    return new InvalidArgumentException("image reference \"" + text + "\": " + why);
  }

  /** Host and path, without tag and digest. */
  public String name() {
    return domain + "/" + path;
  }

  /** This name, with the tag {@code latest} when it has neither tag nor digest. */
  public Reference withDefaultTag() {
    return tag.isPresent() || digest.isPresent()
        ? this
        : new Reference(domain, path, Optional.of(DEFAULT_TAG), digest);
  }

  /** This name with the tag, and without a digest. */
  public Reference withTag(String newTag) {
    return new Reference(domain, path, Optional.of(newTag), Optional.empty());
  }

  /** This name with the digest. */
  public Reference withDigest(Digest newDigest) {
    return new Reference(domain, path, tag, Optional.of(newDigest));
  }

  /** What a registry is asked for: the digest if there is one, else the tag. */
  public String object() {
    return digest.map(Digest::toString).or(() -> tag).orElse(DEFAULT_TAG);
  }

  /**
   * The name in its shortest form, as people write it, which {@link #parse} reads back as an equal
   * name.
   */
  public String familiar() {
    String name = name();
    int slash = path.indexOf('/');
    if (domain.equals(DEFAULT_DOMAIN) && (slash < 0 || !looksLikeHost(path.substring(0, slash)))) {
      name =
          path.startsWith("library/") && path.indexOf('/', "library/".length()) < 0
              ? path.substring("library/".length())
              : path;
    }
    return name + rest();
  }

  private String rest() {
    return tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
  }

  /** The full form, which {@link #parse} reads back as an equal name. */
  @Override
  public String toString() {
    return name() + rest();
  }
}
