package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;

/** Both directions of layers, as one plug-in. */
record Differ(Applier applier, Comparer comparer) {}
