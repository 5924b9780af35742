package io.jcontainerd.oci.runtime;

import java.util.List;

/**
 * One change of a specification. Options are applied in order, so a later one may overrule an
 * earlier. {@link SpecOptions} has the common ones; any lambda is one too.
 */
@FunctionalInterface
public interface SpecOption {
  /**
   * The changed specification.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException when the option does not fit, such
   *     as a user whom the container's passwd file does not know
   */
  Spec apply(Spec spec, SpecContext context);

  /** This option and then another. */
  default SpecOption then(SpecOption next) {
    return (spec, context) -> next.apply(apply(spec, context), context);
  }

  /** All options, one after the other. */
  static SpecOption all(List<SpecOption> options) {
    return (spec, context) -> {
      Spec result = spec;
      for (SpecOption option : options) {
        result = option.apply(result, context);
      }
      return result;
    };
  }
}
