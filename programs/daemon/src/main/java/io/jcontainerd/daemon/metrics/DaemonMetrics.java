package io.jcontainerd.daemon.metrics;

import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.metrics.Exposition.Label;
import io.jcontainerd.metadata.GcStats;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreStats;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * All that the daemon tells, gathered anew each time. Safe for many threads.
 *
 * @param calls if they are counted
 */
public record DaemonMetrics(
    BuildInfo build, Store store, Metadata metadata, Optional<CallMetrics> calls) {

  /** The numbers as they are now, as text of {@link #mediaType}. */
  public String text() throws IOException {
    var out = new Exposition();
    String info = "containerd_build_info_total";
    out.family(info, Exposition.Type.COUNTER, "containerd build information")
        .sample(
            info,
            List.of(
                new Label("version", build.apiVersion()), new Label("revision", build.revision())),
            1);
    garbage(out, metadata.collectorStats());
    store(out, store.stats());
    calls.ifPresent(counted -> counted.write(out));
    ProcessMetrics.write(out);
    return out.toString();
  }

  /** What the text is. */
  public static String mediaType() {
    return Exposition.MEDIA_TYPE;
  }

  private static void garbage(Exposition out, GcStats stats) {
    String runs = "containerd_gc_collections_total";
    out.family(
            runs, Exposition.Type.COUNTER, "The number of garbage collections by how they ended.")
        .sample(runs, List.of(new Label("status", "success")), stats.succeeded())
        .sample(runs, List.of(new Label("status", "fail")), stats.failed());
    String took = "containerd_gc_gc_seconds";
    long count = stats.succeeded();
    out.family(took, Exposition.Type.HISTOGRAM, "How long garbage collections took that succeeded.")
        .sample(took + "_bucket", List.of(new Label("le", "+Inf")), count)
        .sample(took + "_sum", List.of(), Exposition.seconds(stats.total()))
        .sample(took + "_count", List.of(), count);
    out.single(
        "jcontainerd_gc_last_hold_seconds",
        Exposition.Type.GAUGE,
        "How long the newest garbage collection held up writers of the store, in all.",
        stats.lastHeld());
  }

  private static void store(Exposition out, StoreStats stats) {
    out.single(
            "jcontainerd_store_queue_length",
            Exposition.Type.GAUGE,
            "Changes that wait for the store's writer.",
            stats.queueDepth())
        .single(
            "jcontainerd_store_queue_age_seconds",
            Exposition.Type.GAUGE,
            "How long the oldest of them has waited.",
            stats.queueAge())
        .single(
            "jcontainerd_store_longest_hold_seconds",
            Exposition.Type.GAUGE,
            "The longest that one change kept all others from running, commits not counted.",
            stats.longestHold())
        .single(
            "jcontainerd_store_changes_total",
            Exposition.Type.COUNTER,
            "Changes made durable.",
            stats.writes())
        .single(
            "jcontainerd_store_failed_changes_total",
            Exposition.Type.COUNTER,
            "Changes that failed.",
            stats.failedWrites())
        .single(
            "jcontainerd_store_commits_total",
            Exposition.Type.COUNTER,
            "Groups of changes made durable together.",
            stats.commits())
        .single(
            "jcontainerd_store_commit_seconds_total",
            Exposition.Type.COUNTER,
            "How long all commits took together.",
            stats.totalCommit())
        .single(
            "jcontainerd_store_longest_commit_seconds",
            Exposition.Type.GAUGE,
            "How long the slowest commit took.",
            stats.longestCommit())
        .single(
            "jcontainerd_store_readers",
            Exposition.Type.GAUGE,
            "Connections open for reading.",
            stats.readers())
        .single(
            "jcontainerd_store_reserve_present",
            Exposition.Type.GAUGE,
            "Whether the space kept back for a full disk is there.",
            stats.reserve() ? 1 : 0)
        .single(
            "jcontainerd_events_total",
            Exposition.Type.COUNTER,
            "The number of the newest event.",
            stats.lastEvent())
        .single(
            "jcontainerd_event_subscribers",
            Exposition.Type.GAUGE,
            "Who listens to events.",
            stats.subscribers())
        .single(
            "jcontainerd_event_longest_lag",
            Exposition.Type.GAUGE,
            "The most events that one of them has still to take.",
            stats.longestLag());
  }
}
