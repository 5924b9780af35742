package io.jcontainerd.testkit.tasks;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.tasks.TaskRuntime;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A daemon with a runtime, in the namespace of the current call.
 *
 * @param tasks its tasks
 * @param containers its records
 * @param events what it tells
 * @param runtime the runtime of containers: a name or a shim's path
 * @param ociRuntime the name of the OCI runtime's program; empty for the shim's choice
 */
public record TaskSubject(
    TaskRuntime tasks, ContainerStore containers, Feed events, String runtime, String ociRuntime) {

  /** Events as they come. */
  @FunctionalInterface
  public interface Feed {
    /**
     * Hands events of all namespaces to the ear until it is closed. When this returns, no event of
     * what happens next is missed.
     */
    Listening listen(Consumer<Event> ear) throws InterruptedException;
  }

  /** Ends when it is closed. */
  public interface Listening extends AutoCloseable {
    @Override
    void close();
  }

  /** {@code containerd.runc.v1.Options} that name the OCI runtime; binary_name is field 6. */
  public Optional<TypedValue> options() {
    if (ociRuntime.isEmpty()) {
      return Optional.empty();
    }
    byte[] name = ociRuntime.getBytes(StandardCharsets.UTF_8);
    var bytes = new ByteArrayOutputStream();
    bytes.write(6 << 3 | 2);
    bytes.write(name.length);
    bytes.writeBytes(name);
    return Optional.of(new TypedValue("containerd.runc.v1.Options", bytes.toByteArray()));
  }
}
