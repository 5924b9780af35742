package io.jcontainerd.registry;

import io.jcontainerd.oci.reference.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a token allows, in the words of token servers: {@code repository:library/alpine:pull,push}.
 *
 * @param actions what may be done, by resource
 */
record Scopes(Map<String, Set<String>> actions) {
  static final Scopes NONE = new Scopes(Map.of());

  Scopes {
    Map<String, Set<String>> copy = new LinkedHashMap<>();
    actions.forEach((resource, all) -> copy.put(resource, Set.copyOf(all)));
    actions = Map.copyOf(copy);
  }

  static Scopes pull(Reference reference) {
    return pull(reference.path());
  }

  static Scopes pull(String repository) {
    return new Scopes(Map.of("repository:" + repository, Set.of("pull")));
  }

  static Scopes push(Reference reference) {
    return new Scopes(Map.of("repository:" + reference.path(), Set.of("pull", "push")));
  }

  /** Reads scopes with blanks between them. */
  static Scopes parse(String text) {
    Map<String, Set<String>> all = new LinkedHashMap<>();
    for (String scope : text.split(" +", -1)) {
      int colon = scope.lastIndexOf(':');
      String resource = colon < 0 ? scope : scope.substring(0, colon);
      if (!resource.isEmpty()) {
        Set<String> of = all.computeIfAbsent(resource, _ -> new LinkedHashSet<>());
        if (colon >= 0) {
          of.addAll(List.of(scope.substring(colon + 1).split(",", -1)));
        }
      }
    }
    return new Scopes(all);
  }

  /** What both allow together, each resource once. */
  Scopes and(Scopes others) {
    Map<String, Set<String>> all = new LinkedHashMap<>();
    actions.forEach((resource, of) -> all.put(resource, new LinkedHashSet<>(of)));
    others.actions.forEach(
        (resource, of) -> all.computeIfAbsent(resource, _ -> new LinkedHashSet<>()).addAll(of));
    return new Scopes(all);
  }

  /** Whether these allow all that others do. */
  boolean cover(Scopes others) {
    return others.actions.entrySet().stream()
        .allMatch(
            entry -> {
              Set<String> of = actions.get(entry.getKey());
              return of != null && (of.contains("*") || of.containsAll(entry.getValue()));
            });
  }

  /** Each resource with its actions, in order. */
  List<String> words() {
    List<String> words = new ArrayList<>();
    actions.forEach(
        (resource, of) ->
            words.add(
                of.isEmpty()
                    ? resource
                    : resource + ":" + String.join(",", of.stream().sorted().toList())));
    return words.stream().sorted().toList();
  }
}
