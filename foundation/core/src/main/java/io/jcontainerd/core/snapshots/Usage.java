package io.jcontainerd.core.snapshots;

/**
 * Disk space of a snapshot itself, without its parents.
 *
 * @param size in bytes of allocated blocks
 * @param inodes files and folders, hard links counted once
 */
public record Usage(long size, long inodes) {}
