package io.jcontainerd.core.transfer;

/**
 * Who hears how a transfer goes. Called by any of the transfer's threads, several at once; returns
 * soon and does not fail.
 */
@FunctionalInterface
public interface TransferListener {
  /** Hears nothing. */
  TransferListener NONE = _ -> {};

  /** Something happened. */
  void progress(TransferProgress progress);
}
