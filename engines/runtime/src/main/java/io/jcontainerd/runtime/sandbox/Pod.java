package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/** A sandbox that the daemon keeps by itself. Its state changes here first, then on disk. */
final class Pod extends Entry {
  static final String FILE = "sandbox.json";

  private final AtomicReference<PodState> state;

  /** Completed when a pod without a process was stopped. */
  private final CompletableFuture<SandboxController.End> ended = new CompletableFuture<>();

  Pod(Bundle bundle, PodState state) {
    super(bundle);
    this.state = new AtomicReference<>(state);
  }

  PodState state() {
    return Objects.requireNonNull(state.get());
  }

  /** Whether the change was made: the state was the old one. */
  boolean change(PodState from, PodState to) {
    return state.compareAndSet(from, to);
  }

  /** Writes the state of this moment; of many writers, the last one writes the latest. */
  synchronized void save(Bundles bundles) {
    bundles.write(bundle(), FILE, state().toBytes(), 0600);
  }

  void end(SandboxController.End how) {
    ended.complete(how);
  }

  CompletableFuture<SandboxController.End> ended() {
    return ended;
  }
}
