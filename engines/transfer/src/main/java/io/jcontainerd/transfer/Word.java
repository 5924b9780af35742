package io.jcontainerd.transfer;

/**
 * What is told of a part of an image.
 *
 * @param event see {@link io.jcontainerd.core.transfer.TransferProgress.Event}
 * @param bytes that are there or went
 */
record Word(String event, long bytes) {}
