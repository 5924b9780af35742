package io.jcontainerd.services;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A sandbox controller that writes down what it is asked. */
final class ScriptedController implements SandboxController {
  final List<Creation> creations = new CopyOnWriteArrayList<>();
  final List<String> namespaces = new CopyOnWriteArrayList<>();
  final List<String> updated = new CopyOnWriteArrayList<>();

  @Override
  public void create(Creation creation) {
    namespaces.add(Call.currentNamespace());
    creations.add(creation);
  }

  @Override
  public Started start(String id) {
    namespaces.add(Call.currentNamespace());
    return new Started(5, Instant.EPOCH, Optional.empty(), new Endpoint("ttrpc+unix:///a", 3));
  }

  @Override
  public Platform platform(String id) {
    return new Platform("linux", "amd64", "");
  }

  @Override
  public void stop(String id, Duration patience) {
    namespaces.add(Call.currentNamespace());
  }

  @Override
  public End await(String id) {
    return new End(0, Instant.EPOCH);
  }

  @Override
  public Status status(String id, boolean verbose) {
    return Status.unknown(Instant.EPOCH);
  }

  @Override
  public void shutdown(String id) {
    namespaces.add(Call.currentNamespace());
  }

  @Override
  public Metrics metrics(String id) {
    return new Metrics(Instant.EPOCH, id, Optional.empty());
  }

  @Override
  public void update(Sandbox sandbox, List<String> fields) {
    updated.add(sandbox.id() + " " + fields);
  }
}
