package io.jcontainerd.core.tasks;

import java.time.Instant;
import java.util.Optional;

/**
 * A process of a task as it is now.
 *
 * @param containerId its container
 * @param execId empty for the init process
 * @param pid on the host; 0 before it exists
 * @param status where it is in its life
 * @param stdio its streams
 * @param exitStatus meaningful once stopped
 * @param exitedAt present once stopped
 */
public record TaskProcess(
    String containerId,
    String execId,
    int pid,
    TaskStatus status,
    Stdio stdio,
    int exitStatus,
    Optional<Instant> exitedAt) {}
