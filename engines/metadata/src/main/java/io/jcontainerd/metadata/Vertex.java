package io.jcontainerd.metadata;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node while the collector marks: there is one for each, so that what refers to it points at it.
 * For one thread at a time.
 */
final class Vertex {
  private final GcNode node;
  private List<Vertex> targets = List.of();
  private @Nullable Vertex below;
  private boolean full;
  private boolean flat;

  Vertex(GcNode node) {
    this.node = node;
  }

  GcNode node() {
    return node;
  }

  /** What it keeps when it is kept in full. */
  List<Vertex> targets() {
    return targets;
  }

  void refersTo(Vertex target) {
    if (targets.isEmpty()) {
      targets = new ArrayList<>(2);
    }
    targets.add(target);
  }

  /** What it keeps, flat, also when it is kept flat; null for nothing. */
  @Nullable Vertex below() {
    return below;
  }

  void standsOn(Vertex lower) {
    below = lower;
  }

  /** Keeps it with all that its labels refer to; returns whether it was not yet. */
  boolean keep() {
    boolean fresh = !full;
    full = true;
    return fresh;
  }

  /** Keeps it without what its labels refer to; returns whether it was not yet. */
  boolean keepFlat() {
    boolean fresh = !flat;
    flat = true;
    return fresh;
  }

  boolean isGarbage() {
    return !full && !flat;
  }
}
