package io.jcontainerd.store;

import java.time.Duration;

/**
 * How the store is doing.
 *
 * @param queueDepth writes that wait now
 * @param queueAge how long the oldest of them has waited
 * @param commits groups committed since opening, also such as changed nothing
 * @param writes changes made durable since opening
 * @param failedWrites changes that failed since opening
 * @param lastCommit how long the newest commit took
 * @param longestCommit how long the slowest commit took
 * @param totalCommit how long all commits took together
 * @param longestHold how long the slowest change kept all others from running, commits not counted
 * @param readers connections open for reading
 * @param lastEvent the newest event's number; 0 before the first
 * @param subscribers who listens to events
 * @param longestLag the most events that one of them has still to take
 * @param reserve whether the space kept back is there
 */
public record StoreStats(
    int queueDepth,
    Duration queueAge,
    long commits,
    long writes,
    long failedWrites,
    Duration lastCommit,
    Duration longestCommit,
    Duration totalCommit,
    Duration longestHold,
    int readers,
    long lastEvent,
    int subscribers,
    int longestLag,
    boolean reserve) {}
