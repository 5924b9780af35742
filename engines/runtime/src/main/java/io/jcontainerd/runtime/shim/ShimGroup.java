package io.jcontainerd.runtime.shim;

import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import java.util.Locale;
import java.util.function.Supplier;

/** Which tasks share a shim host. */
public enum ShimGroup {
  /** All of the daemon. */
  NODE,
  /** Those of a namespace. */
  NAMESPACE,
  /** Those of a pod; a task outside of pods has a host of its own. */
  POD,
  /** None. */
  CONTAINER;

  private static final String GROUP = "io.containerd.runc.v2.group";
  private static final String SANDBOX = "io.kubernetes.cri.sandbox-id";

  /** The group of that name, in any case. */
  public static ShimGroup of(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  /** Tasks with equal keys share a host. */
  String key(Bundle bundle, Supplier<Spec> spec) {
    return switch (this) {
      case NODE -> "";
      case NAMESPACE -> bundle.namespace();
      case CONTAINER -> bundle.namespace() + "/" + bundle.id();
      case POD -> {
        var annotations = spec.get().annotations();
        String pod = annotations.getOrDefault(GROUP, annotations.getOrDefault(SANDBOX, ""));
        yield bundle.namespace() + "/" + (pod.isEmpty() ? bundle.id() : pod);
      }
    };
  }

  /** Whether a host without tasks is kept for those to come. */
  boolean outlivesTasks() {
    return this == NODE || this == NAMESPACE;
  }
}
