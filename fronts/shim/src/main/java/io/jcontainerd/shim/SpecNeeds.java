package io.jcontainerd.shim;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.oci.runtime.Spec;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares what a document asks for with what a runtime knows: the runtime itself would say nothing
 * and leave it out.
 */
final class SpecNeeds {
  private SpecNeeds() {}

  /** Whether anything needs more of the runtime than that it reads documents of old. */
  static boolean any(Spec spec) {
    return !SpecField.usedBy(spec).isEmpty();
  }

  /**
   * What the container will go without, in words for who asked for it; empty if it gets all.
   *
   * @param binary the runtime, as it is called
   * @throws FailedPreconditionException if it must not go without
   */
  static Optional<String> check(Spec spec, RuntimeVersion runtime, String binary, String id) {
    List<SpecField> unknown =
        SpecField.usedBy(spec).stream().filter(field -> !field.isKnownTo(runtime)).toList();
    if (unknown.isEmpty()) {
      return Optional.empty();
    }
    // of one that does not even say its version it is not known that it does not know them
    List<SpecField> missed =
        runtime.isSilent()
            ? List.of()
            : unknown.stream().filter(field -> !field.dispensable()).toList();
    if (!missed.isEmpty()) {
      throw new FailedPreconditionException(
          "container "
              + id
              + ": "
              + named(missed)
              + " would be left out by "
              + described(runtime, binary)
              + ", and must not be: install "
              + enough(missed)
              + ", or ask for the container without");
    }
    return Optional.of(
        "container "
            + id
            + ": "
            + named(unknown)
            + (runtime.isSilent() ? " may be left out by " : " is left out by ")
            + described(runtime, binary)
            + ": for it to have effect, install "
            + enough(unknown));
  }

  private static String named(List<SpecField> fields) {
    return fields.stream()
        .map(field -> field.name() + " (runtime specification " + field.version() + ")")
        .collect(Collectors.joining(", "));
  }

  private static String described(RuntimeVersion runtime, String binary) {
    if (runtime.isSilent()) {
      return "runtime " + binary + ", which does not tell its version";
    }
    String who = runtime.own().map(own -> runtime.name() + " " + own).orElse("runtime " + binary);
    return who + runtime.announced().map(version -> ", which announces " + version).orElse("");
  }

  /** The oldest runtimes that know all of them. */
  private static String enough(List<SpecField> fields) {
    String named =
        Stream.of("crun", "runc")
            .filter(name -> fields.stream().allMatch(field -> field.since().containsKey(name)))
            .map(name -> name + " " + newest(fields.stream().map(field -> field.since().get(name))))
            .collect(Collectors.joining(" or "));
    return named.isEmpty()
        ? "a runtime for specification " + newest(fields.stream().map(SpecField::version))
        : named + " or later";
  }

  private static SpecVersion newest(Stream<SpecVersion> versions) {
    return versions.max(SpecVersion::compareTo).orElse(SpecVersion.FIRST);
  }
}
