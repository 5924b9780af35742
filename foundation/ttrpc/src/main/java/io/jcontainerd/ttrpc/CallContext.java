package io.jcontainerd.ttrpc;

import java.time.Duration;
import java.util.Optional;

/**
 * What a handler knows of the call it serves, besides the message.
 *
 * <p>The end of the connection does not interrupt a handler by itself: half a container helps
 * nobody, so it finishes what it does and its answer is dropped. Handlers that only wait are
 * registered as such ({@link TtrpcService.Builder#waiting}) and are interrupted.
 */
public interface CallContext {
  String service();

  String method();

  Metadata metadata();

  /** Time left until the caller gives up; never negative, empty without a deadline. */
  Optional<Duration> remaining();

  /** True once nobody waits for the answer any more. */
  boolean abandoned();
}
