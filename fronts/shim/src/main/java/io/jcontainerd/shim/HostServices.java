package io.jcontainerd.shim;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.cgroup.AttachLock;
import io.jcontainerd.linux.cgroup.OomWatcher;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import java.nio.file.Path;
import java.util.List;

/**
 * What every container of this host is handled with.
 *
 * @param environment of the OCI runtime, as {@code NAME=value}
 */
record HostServices(
    Children children,
    ProgramRunner runner,
    List<String> environment,
    StreamOpener streams,
    TaskEvents events,
    StateStore store,
    Kernel kernel,
    RuntimeTurns turns,
    RuntimeCopies copies,
    RuntimeVersions versions,
    SpecPreparation specs,
    OomWatcher memory,
    AttachLock attachLock) {

  HostServices {
    environment = List.copyOf(environment);
  }

  /** The runtime's command line for a container. */
  OciRuntime runtime(RuntimeOptions options, String id, Path bundle) {
    return new OciRuntime(runner, turns, copies, environment, options, id, bundle);
  }
}
