package io.jcontainerd.oci.platform;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Names of platforms and which of them a machine can run.
 *
 * <p>Normal names are Go's: {@code linux/amd64}, {@code linux/arm/v7}, {@code linux/arm64}. The
 * variant that every machine of an architecture has is left out: {@code v8} of arm64, {@code v1} of
 * amd64.
 */
public final class Platforms {
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_.-]+");
  private static final List<String> SYSTEMS =
      List.of("linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "aix");

  private Platforms() {}

  /** The platform of this machine. */
  public static Platform host() {
    String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String os = name.startsWith("windows") ? "windows" : name.startsWith("mac") ? "darwin" : name;
    return normalize(new Platform(os, System.getProperty("os.arch"), ""));
  }

  /**
   * Reads {@code os/arch/variant}, {@code os/arch}, or one of the two alone, the other being this
   * machine's. An operating system may carry its version in parentheses, {@code
   * windows(10.0.17763)}.
   *
   * @throws InvalidArgumentException when it is none of that
   */
  public static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    String version = "";
    int open = parts[0].indexOf('(');
    if (open > 0 && parts[0].endsWith(")")) {
      version = parts[0].substring(open + 1, parts[0].length() - 1);
      parts[0] = parts[0].substring(0, open);
    }
    if (parts.length > 3 || !Arrays.stream(parts).allMatch(p -> PART.matcher(p).matches())) {
      throw new InvalidArgumentException(
          "platform \"" + text + "\" is not os/architecture[/variant]");
    }
    Platform host = host();
    if (parts.length == 1) {
      String word = normalOs(parts[0]);
      if (SYSTEMS.contains(word)) {
        return new Platform(word, host.architecture(), host.variant(), version, List.of());
      }
      Platform platform = normalize(new Platform(host.os(), parts[0], ""));
      if (!known(platform.architecture())) {
        throw new InvalidArgumentException(
            "platform \"" + text + "\" is neither an operating system nor an architecture");
      }
      return platform;
    }
    return normalize(
        new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "", version, List.of()));
  }

  private static boolean known(String architecture) {
    return switch (architecture) {
      case "386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x" ->
          true;
      default -> false;
    };
  }

  /** The name that {@link #parse} reads back. */
  public static String format(Platform platform) {
    String os = platform.os().isEmpty() ? "unknown" : platform.os();
    String version = platform.osVersion().isEmpty() ? "" : "(" + platform.osVersion() + ")";
    String variant = platform.variant().isEmpty() ? "" : "/" + platform.variant();
    return os + version + "/" + platform.architecture() + variant;
  }

  /** The platform in normal names. */
  public static Platform normalize(Platform platform) {
    String arch = platform.architecture().toLowerCase(Locale.ROOT);
    String variant = platform.variant().toLowerCase(Locale.ROOT);
    switch (arch) {
      case "i386", "x86", "i686" -> {
        arch = "386";
        variant = "";
      }
      case "x86_64", "x86-64", "amd64" -> {
        arch = "amd64";
        variant = variant.equals("v1") ? "" : variant;
      }
      case "aarch64", "arm64" -> {
        arch = "arm64";
        variant =
            variant.equals("8") || variant.equals("v8") || variant.equals("v8.0") ? "" : variant;
      }
      case "armhf" -> {
        arch = "arm";
        variant = "v7";
      }
      case "armel" -> {
        arch = "arm";
        variant = "v6";
      }
      case "arm" ->
          variant =
              variant.isEmpty()
                  ? "v7"
                  : Character.isDigit(variant.charAt(0)) ? "v" + variant : variant;
      case "loongarch64" -> arch = "loong64";
      default -> {}
    }
    return new Platform(
        normalOs(platform.os()), arch, variant, platform.osVersion(), platform.osFeatures());
  }

  private static String normalOs(String os) {
    String lower = os.toLowerCase(Locale.ROOT);
    return lower.equals("macos") ? "darwin" : lower;
  }

  /** What a machine of the platform can run, the best first. */
  public static List<Platform> runnableOn(Platform machine) {
    Platform host = normalize(machine);
    List<Platform> all = new ArrayList<>();
    all.add(host);
    switch (host.architecture()) {
      case "amd64" -> {
        for (int v = number(host.variant(), 1) - 1; v >= 1; v--) {
          all.add(like(host, "amd64", v == 1 ? "" : "v" + v));
        }
        all.add(like(host, "386", ""));
      }
      case "arm64" -> {
        if (!host.variant().isEmpty()) {
          all.add(like(host, "arm64", ""));
        }
        for (int v = 8; v >= 5; v--) {
          all.add(like(host, "arm", "v" + v));
        }
      }
      case "arm" -> {
        for (int v = number(host.variant(), 7) - 1; v >= 5; v--) {
          all.add(like(host, "arm", "v" + v));
        }
      }
      default -> {}
    }
    return List.copyOf(all);
  }

  private static int number(String variant, int otherwise) {
    return variant.matches("v[0-9]{1,2}") ? Integer.parseInt(variant.substring(1)) : otherwise;
  }

  private static Platform like(Platform host, String arch, String variant) {
    return new Platform(host.os(), arch, variant, host.osVersion(), host.osFeatures());
  }

  /** True when both are the same after normalising; versions and features are not looked at. */
  public static boolean same(Platform one, Platform other) {
    Platform a = normalize(one);
    Platform b = normalize(other);
    return a.os().equals(b.os())
        && a.architecture().equals(b.architecture())
        && a.variant().equals(b.variant());
  }

  /** How well a machine runs the platform: 0 is best; empty when not at all. */
  public static Optional<Integer> rank(Platform machine, Platform wanted) {
    List<Platform> runnable = runnableOn(machine);
    for (int i = 0; i < runnable.size(); i++) {
      if (same(runnable.get(i), wanted)) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  /**
   * The candidate that the machine runs best; of equals the first. Candidates without a platform
   * are taken when no other fits.
   */
  public static <T> Optional<T> best(
      Platform machine, List<T> candidates, Function<T, Optional<Platform>> platform) {
    Optional<T> known =
        candidates.stream()
            .filter(c -> platform.apply(c).flatMap(p -> rank(machine, p)).isPresent())
            .min(
                Comparator.comparingInt(
                    c -> platform.apply(c).flatMap(p -> rank(machine, p)).orElseThrow()));
    return known.or(() -> candidates.stream().filter(c -> platform.apply(c).isEmpty()).findFirst());
  }
}
