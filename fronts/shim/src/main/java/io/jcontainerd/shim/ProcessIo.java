package io.jcontainerd.shim;

import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * The streams of one process, from before its start until it is deleted. Closing twice does no
 * harm. Safe for many threads.
 */
interface ProcessIo extends AutoCloseable {
  /** What the process gets as its 0, 1 and 2, until {@link #started}. */
  Map<Integer, OwnedDescriptor> descriptors();

  /** Where the runtime sends the terminal; empty without one. */
  Optional<Path> consoleSocket();

  /** The process has its copies: ours are closed, and copying begins where there is any. */
  void started() throws IOException;

  /** Gives up this side's writing end, so that the process sees the end once no client writes. */
  void closeStdin() throws IOException;

  /** Whether the process has a terminal; if so it gets the size. */
  boolean resize(WindowSize size) throws IOException;

  /** Waits until all that the process wrote is where it belongs; false if that takes too long. */
  boolean drained(Duration limit) throws InterruptedException;

  @Override
  void close() throws IOException;
}
