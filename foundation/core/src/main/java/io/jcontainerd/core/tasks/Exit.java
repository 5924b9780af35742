package io.jcontainerd.core.tasks;

import java.time.Instant;

/**
 * How a process ended.
 *
 * @param pid its process id; 0 if it never had one
 * @param status its exit code, or 128 and the signal's number
 * @param exitedAt when
 */
public record Exit(int pid, int status, Instant exitedAt) {}
