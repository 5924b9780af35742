package io.jcontainerd.runtime;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.Timeouts;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Which types of mounts runtimes do by themselves. Each is asked once. Safe for many threads. */
final class AllowedMounts {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /** Runtimes that are known to do no mounts by themselves: they are not asked. */
  private static final Set<String> ALLOW_NONE =
      Set.of("io.containerd.runc.v2", "io.containerd.runhcs.v1");

  private static final String ALLOWED_MOUNTS = "containerd.io/runtime-allow-mounts";

  private final Launchers launchers;
  private final Timeouts timeouts;
  private final Map<String, Set<String>> known = new ConcurrentHashMap<>();

  AllowedMounts(Launchers launchers, Timeouts timeouts) {
    this.launchers = launchers;
    this.timeouts = timeouts;
  }

  /** Those that the runtime of a task does. */
  Set<String> of(CreateTask request) throws InterruptedException {
    String named = request.container().runtime().name();
    String runtime =
        !request.runtimePath().isEmpty()
            ? request.runtimePath()
            : named.isEmpty() ? LocalTaskRuntime.DEFAULT_RUNTIME : named;
    if (ALLOW_NONE.contains(runtime)) {
      return Set.of();
    }
    Set<String> told = known.get(runtime);
    if (told == null) {
      told = ask(runtime);
      known.put(runtime, told);
    }
    return told;
  }

  /** A runtime that cannot tell does none by itself. */
  private Set<String> ask(String runtime) throws InterruptedException {
    try {
      String text =
          launchers
              .forRuntime(runtime)
              .info(runtime, Optional.empty(), Limits.atMost(timeouts.shimStart()))
              .getAnnotationsOrDefault(ALLOWED_MOUNTS, "");
      return text.isEmpty() ? Set.of() : Set.of(text.split(",", -1));
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "runtime " + runtime + " does not tell what it mounts", e);
      return Set.of();
    }
  }
}
