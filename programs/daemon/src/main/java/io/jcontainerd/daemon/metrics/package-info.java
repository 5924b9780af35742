/**
 * What the daemon tells of itself in numbers, in Prometheus' text format. Names and labels of what
 * containerd tells, too, are containerd's; what it has not is called {@code jcontainerd_…}.
 */
@org.jspecify.annotations.NullMarked
package io.jcontainerd.daemon.metrics;
