package io.jcontainerd.runtime.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.LinuxNamespace;
import io.jcontainerd.oci.runtime.Spec;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What the file {@code sandbox.json} of a pod tells.
 *
 * @param phase where it is in its life
 * @param process whether a process holds its namespaces
 * @param namespaces those that its containers share; without a path if the process has them
 * @param startedAt when it began, if it did
 * @param exitedAt when it was stopped, if it was
 */
record PodState(
    Phase phase,
    boolean process,
    List<LinuxNamespace> namespaces,
    Optional<Instant> startedAt,
    Optional<Instant> exitedAt) {
  /** Where a pod is in its life. */
  enum Phase {
    /** Found after a restart, it was never whole. */
    MAKING,
    CREATED,
    READY,
    STOPPED
  }

  PodState {
    namespaces = List.copyOf(namespaces);
  }

  static PodState making(boolean process) {
    return new PodState(Phase.MAKING, process, List.of(), Optional.empty(), Optional.empty());
  }

  PodState created(List<LinuxNamespace> shared) {
    return new PodState(Phase.CREATED, process, shared, Optional.empty(), Optional.empty());
  }

  PodState ready(Instant now) {
    return new PodState(Phase.READY, process, namespaces, Optional.of(now), Optional.empty());
  }

  PodState stopped(Instant now) {
    return new PodState(Phase.STOPPED, process, namespaces, startedAt, Optional.of(now));
  }

  byte[] toBytes() {
    Spec shared = new Spec(JsonObject.EMPTY);
    for (LinuxNamespace namespace : namespaces) {
      shared = shared.withNamespace(namespace);
    }
    JsonObject json = shared.json().with("phase", phase.name()).with("process", process);
    if (startedAt.isPresent()) {
      json = json.with("startedAt", startedAt.get().toString());
    }
    if (exitedAt.isPresent()) {
      json = json.with("exitedAt", exitedAt.get().toString());
    }
    return json.toString().getBytes(UTF_8);
  }

  /**
   * Reads the file.
   *
   * @throws InvalidArgumentException if it is no such file
   */
  static PodState parse(byte[] bytes) {
    JsonObject json = JsonObject.parse(bytes);
    try {
      return new PodState(
          Phase.valueOf(json.string("phase").orElse("")),
          json.flag("process"),
          new Spec(json).namespaces(),
          json.string("startedAt").map(Instant::parse),
          json.string("exitedAt").map(Instant::parse));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new InvalidArgumentException("state of a pod: " + e.getMessage(), e);
    }
  }
}
