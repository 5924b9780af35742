package io.jcontainerd.oci.platform;

import io.jcontainerd.core.Platform;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Which of several offers are for the platforms that somebody wants. All offers that are for just a
 * wanted platform are; if there is none, the one that the platform runs best. An offer that does
 * not tell its platform is for everybody.
 *
 * @param wanted the best first; empty for all
 */
public record PlatformChoice(List<Platform> wanted) {
  /** Everything. */
  public static final PlatformChoice ALL = new PlatformChoice(List.of());

  /** Copies the list. */
  public PlatformChoice {
    wanted = wanted.stream().map(Platforms::normalize).toList();
  }

  /**
   * The chosen offers: those of the best wanted platform first, as they were offered else.
   *
   * @param platform of an offer
   */
  public <T> List<T> of(List<T> offers, Function<T, Optional<Platform>> platform) {
    if (wanted.isEmpty()) {
      return List.copyOf(offers);
    }
    Set<T> chosen = new LinkedHashSet<>();
    for (Platform machine : wanted) {
      List<T> exact = new ArrayList<>();
      for (T offer : offers) {
        if (platform.apply(offer).filter(told -> isExact(machine, told)).isPresent()) {
          exact.add(offer);
        }
      }
      if (exact.isEmpty()) {
        best(machine, offers, platform).ifPresent(exact::add);
      }
      exact.sort(Comparator.comparing(offer -> older(machine, platform.apply(offer))));
      chosen.addAll(exact);
    }
    offers.stream().filter(offer -> platform.apply(offer).isEmpty()).forEach(chosen::add);
    return List.copyOf(chosen);
  }

  /** Whether one of the wanted platforms runs the other. */
  public boolean accepts(Platform other) {
    return wanted.isEmpty() || wanted.stream().anyMatch(machine -> runs(machine, other));
  }

  /** Whether a machine runs what is for the other platform, its version included. */
  public static boolean runs(Platform machine, Platform other) {
    return Platforms.rank(machine, other).isPresent() && isOfVersion(machine, other);
  }

  private static boolean isExact(Platform machine, Platform other) {
    return Platforms.same(machine, other) && isOfVersion(machine, other);
  }

  private static <T> Optional<T> best(
      Platform machine, List<T> offers, Function<T, Optional<Platform>> platform) {
    List<T> running =
        offers.stream()
            .filter(offer -> platform.apply(offer).filter(told -> runs(machine, told)).isPresent())
            .toList();
    return Platforms.best(machine, running, platform);
  }

  /** Of several builds of one version the one that was asked for comes first. */
  private static boolean older(Platform machine, Optional<Platform> told) {
    return told.filter(other -> other.osVersion().equals(machine.osVersion())).isEmpty();
  }

  /**
   * Who says no version takes any. Windows runs what was built for the same build number, whatever
   * its revision; elsewhere versions must be the same.
   */
  private static boolean isOfVersion(Platform machine, Platform other) {
    String has = machine.osVersion();
    String needs = other.osVersion();
    if (has.isEmpty() || needs.isEmpty()) {
      return true;
    }
    return machine.os().equals("windows") ? build(has).equals(build(needs)) : has.equals(needs);
  }

  private static List<String> build(String version) {
    List<String> parts = List.of(version.split("\\.", -1));
    return parts.subList(0, Math.min(3, parts.size()));
  }
}
