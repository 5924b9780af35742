/**
 * Moving images: between registries, the daemon's image store and archives.
 *
 * <p>The words are those of {@code containerd.types.transfer}: what a transfer is from and to is a
 * record here, and each pair that makes sense is a method of {@link
 * io.jcontainerd.core.transfer.Transfers}.
 */
package io.jcontainerd.core.transfer;
