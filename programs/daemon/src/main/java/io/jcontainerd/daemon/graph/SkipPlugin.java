package io.jcontainerd.daemon.graph;

/**
 * A plug-in that does not start here, for a reason that is no failure: a missing device, an address
 * that was not configured. Not for anything that somebody should repair.
 */
public final class SkipPlugin extends Exception {
  private static final long serialVersionUID = 1;

  /** {@code reason} completes "left out because". */
  public SkipPlugin(String reason) {
    super("skip plugin: " + reason);
  }
}
