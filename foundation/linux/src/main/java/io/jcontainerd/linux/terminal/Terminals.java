package io.jcontainerd.linux.terminal;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.libc.TerminalCalls;

/** What can be done with the descriptor of a terminal. */
public final class Terminals {
  private static final int MAX_UNSIGNED_SHORT = 0xffff;

  private Terminals() {}

  /** A window's size in characters. */
  public record WindowSize(int columns, int rows) {
    /** Refuses what the kernel cannot hold. */
    public WindowSize {
      if (columns < 0 || rows < 0 || columns > MAX_UNSIGNED_SHORT || rows > MAX_UNSIGNED_SHORT) {
        throw new IllegalArgumentException("no window is " + columns + " by " + rows);
      }
    }
  }

  /**
   * A new pseudo-terminal.
   *
   * @param master the side of the one who reads the screen and types
   * @param slave the side of the program
   */
  public record Pair(OwnedDescriptor master, OwnedDescriptor slave) implements AutoCloseable {
    @Override
    public void close() {
      try {
        master.close();
      } finally {
        slave.close();
      }
    }
  }

  /** Makes a pseudo-terminal. */
  public static Pair open() throws ErrnoException {
    int[] ends = TerminalCalls.openpty();
    try (OwnedDescriptor master = OwnedDescriptor.owning(ends[0]);
        OwnedDescriptor slave = OwnedDescriptor.owning(ends[1])) {
      // openpty cannot make them close-on-exec; a duplicate can
      OwnedDescriptor first = master.duplicate(0);
      try {
        return new Pair(first, slave.duplicate(0));
      } catch (ErrnoException e) {
        first.close();
        throw e;
      }
    }
  }

  /** Tells the program how large its window is; it gets SIGWINCH if that is news. */
  public static void resize(OwnedDescriptor terminal, WindowSize size) throws ErrnoException {
    TerminalCalls.setWindowSize(terminal.number(), size.columns(), size.rows());
  }

  /** How large the window is. */
  public static WindowSize size(OwnedDescriptor terminal) throws ErrnoException {
    int[] size = TerminalCalls.windowSize(terminal.number());
    return new WindowSize(size[0], size[1]);
  }
}
