package io.jcontainerd.linux.process;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Waits for the end of a process that may be nobody's child. */
record Waiting(boolean ended) implements AutoCloseable {
  static Waiting foreign(Children children, int pid) throws IOException, InterruptedException {
    Optional<ProcessIdentity> identity = ProcessIdentity.of(pid);
    if (identity.isEmpty()) {
      return new Waiting(true);
    }
    Optional<Child> child = children.adopt(identity.get());
    return new Waiting(child.isEmpty() || child.get().await(Duration.ofSeconds(60)).isPresent());
  }

  @Override
  public void close() {}
}
