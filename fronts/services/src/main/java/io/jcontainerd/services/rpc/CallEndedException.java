package io.jcontainerd.services.rpc;

/**
 * A call has ended while a thread still spoke with its client. Of the same family as the
 * interruption that the call's own thread gets, so that whoever ends with one ends with the other.
 */
public final class CallEndedException extends InterruptedException {
  private static final long serialVersionUID = 1;

  CallEndedException(String message) {
    super(message);
  }
}
