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
 * @param groups who makes control groups; needs an OCI runtime that is named
 */
public record TaskSubject(
    TaskRuntime tasks,
    ContainerStore containers,
    Feed events,
    String runtime,
    String ociRuntime,
    Groups groups) {

  /** Who makes the control groups of containers. */
  public enum Groups {
    /** The OCI runtime itself, where the specification says. */
    FILES,
    /** Systemd, as scopes of its {@code system.slice}; for machines that run it. */
    SYSTEMD
  }

  /** One whose OCI runtime makes control groups itself. */
  public TaskSubject(
      TaskRuntime tasks,
      ContainerStore containers,
      Feed events,
      String runtime,
      String ociRuntime) {
    this(tasks, containers, events, runtime, ociRuntime, Groups.FILES);
  }

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

  /** The path of a container's control group as a specification says it. */
  String cgroup(String name) {
    return groups == Groups.SYSTEMD ? "system.slice:jc-tasks:" + name : TaskDriver.CGROUP + name;
  }

  /**
   * {@code containerd.runc.v1.Options} that name the OCI runtime; binary_name is field 6,
   * systemd_cgroup is field 7.
   */
  public Optional<TypedValue> options() {
    if (ociRuntime.isEmpty()) {
      return Optional.empty();
    }
    byte[] name = ociRuntime.getBytes(StandardCharsets.UTF_8);
    var bytes = new ByteArrayOutputStream();
    bytes.write(6 << 3 | 2);
    bytes.write(name.length);
    bytes.writeBytes(name);
    if (groups == Groups.SYSTEMD) {
      bytes.write(7 << 3);
      bytes.write(1);
    }
    return Optional.of(new TypedValue("containerd.runc.v1.Options", bytes.toByteArray()));
  }
}
