package io.jcontainerd.daemon.graph;

import java.util.List;

/**
 * A plug-in that does not start here, for a reason that is no failure: a missing device, an address
 * that was not configured. Not for anything that somebody should repair.
 */
public final class SkipPlugin extends Exception {
  private static final long serialVersionUID = 1;

  private final transient List<String> capabilities;

  /** {@code reason} completes "left out because". */
  public SkipPlugin(String reason) {
    this(reason, List.of());
  }

  /**
   * The same for one whose absence clients would misread.
   *
   * @param capabilities words for clients, as if it were there
   */
  public SkipPlugin(String reason, List<String> capabilities) {
    super("skip plugin: " + reason);
    this.capabilities = List.copyOf(capabilities);
  }

  List<String> capabilities() {
    return capabilities;
  }
}
