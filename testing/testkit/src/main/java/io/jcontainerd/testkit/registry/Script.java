package io.jcontainerd.testkit.registry;

/** What a {@link ScriptedRegistry} answers; called by several threads at once. */
@FunctionalInterface
public interface Script {
  /** The answer to a request. */
  Reply reply(Seen seen);

  /**
   * How many bytes of a request's body are read before it is answered.
   *
   * @param head the request without its body
   */
  default long appetite(Seen head) {
    return Long.MAX_VALUE;
  }
}
