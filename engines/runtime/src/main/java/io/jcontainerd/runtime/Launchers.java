package io.jcontainerd.runtime;

import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.shim.ShimLauncher;
import java.util.List;

/**
 * The ways of having shims, in order; the first that fits a runtime's name or a bundle is taken.
 *
 * @param all the last one fits everything
 */
record Launchers(List<ShimLauncher> all) {
  Launchers {
    all = List.copyOf(all);
  }

  ShimLauncher forRuntime(String runtime) {
    return all.stream()
        .filter(l -> l.keeps(runtime))
        .findFirst()
        .orElseThrow(() -> new UnknownException("runtime " + runtime + ": no way to start it"));
  }

  ShimLauncher forBundle(Bundle bundle) {
    return all.stream()
        .filter(l -> l.owns(bundle))
        .findFirst()
        .orElseThrow(() -> new UnknownException(bundle + ": no way to reach its shim"));
  }
}
