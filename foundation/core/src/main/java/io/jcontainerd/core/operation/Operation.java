package io.jcontainerd.core.operation;

import io.jcontainerd.core.filter.Fields;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * An operation as it was at a moment.
 *
 * @param id names it among those of all daemons that this machine has had; short
 * @param kind what is done, as in {@code create} or {@code pull}
 * @param namespace where; empty for what belongs to the machine
 * @param key to what: a container, container and exec as in {@code web/shell}, an image, a chain id
 * @param stage which step it is in
 * @param waitsFor whose answer that step waits for; empty when it works by itself
 * @param since when it began
 * @param stageSince when its stage began
 * @param owner who asked for it; empty when it began by itself
 * @param joined how many callers wait for its end
 * @param cancellable whether it can be cancelled
 * @param helpers processes that work for it, where they were looked for
 * @param outcome how it ended: empty while it goes on, {@link #DONE}, or the failure's text
 */
public record Operation(
    String id,
    String kind,
    String namespace,
    String key,
    String stage,
    String waitsFor,
    Instant since,
    Instant stageSince,
    String owner,
    int joined,
    boolean cancellable,
    List<Helper> helpers,
    Optional<String> outcome)
    implements Fields {

  /** The outcome of one that succeeded. */
  public static final String DONE = "done";

  /** Copies the helpers. */
  public Operation {
    helpers = List.copyOf(helpers);
  }

  /**
   * A process that works for an operation, and where the kernel has it.
   *
   * @param pid its number
   * @param command its name and first words
   * @param state the kernel's letter, such as {@code D} for one that cannot be interrupted
   * @param waitChannel the kernel's function that it sleeps in; empty when it runs or is not told
   * @param stack the kernel's stack, innermost first; empty where it is not told
   */
  public record Helper(
      int pid, String command, String state, String waitChannel, List<String> stack) {
    /** Copies the stack. */
    public Helper {
      stack = List.copyOf(stack);
    }
  }

  /** The same with the processes that work for it. */
  public Operation with(List<Helper> found) {
    return new Operation(
        id,
        kind,
        namespace,
        key,
        stage,
        waitsFor,
        since,
        stageSince,
        owner,
        joined,
        cancellable,
        found,
        outcome);
  }

  /** The same, with what somebody nearer to it says. */
  public Operation within(String inner, String innerWait, Instant innerSince) {
    return new Operation(
        id,
        kind,
        namespace,
        key,
        inner,
        innerWait,
        since,
        innerSince,
        owner,
        joined,
        cancellable,
        helpers,
        outcome);
  }

  /** What a filter can ask: id, kind, namespace, key, stage and owner. */
  @Override
  public Optional<String> field(List<String> path) {
    return switch (path.getFirst()) {
      case "id" -> Optional.of(id);
      case "kind" -> Optional.of(kind);
      case "namespace" -> Fields.nonEmpty(namespace);
      case "key" -> Fields.nonEmpty(key);
      case "stage" -> Optional.of(stage);
      case "owner" -> Fields.nonEmpty(owner);
      default -> Optional.empty();
    };
  }
}
