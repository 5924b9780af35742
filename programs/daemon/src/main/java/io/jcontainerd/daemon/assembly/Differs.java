package io.jcontainerd.daemon.assembly;

import java.util.List;

/** The differs that are asked for a layer, in order. */
record Differs(List<Differ> all) {
  Differs {
    all = List.copyOf(all);
  }
}
