package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/**
 * Inflating with ISA-L ({@code isa-l/igzip_lib.h}).
 *
 * <p>The offsets in {@code struct inflate_state} are those of releases 2.30 to 2.32 on 64-bit
 * machines. The library tells its release nowhere but in the name of its file.
 */
@SuppressWarnings("restricted") // this room is the one that may call C
public final class IsalCalls {
  public static final String LIBRARY = "libisal.so.2";

  /** The bytes of {@code struct inflate_state}. */
  public static final long STATE_SIZE = 87_368;

  public static final int ISAL_INVALID_BLOCK = -1;
  public static final int ISAL_INVALID_SYMBOL = -2;
  public static final int ISAL_INVALID_LOOKBACK = -3;
  public static final int ISAL_BLOCK_NEW_HDR = 0;
  public static final int ISAL_BLOCK_FINISH = 5;

  private static final long NEXT_OUT = 0;
  private static final long AVAIL_OUT = 8;
  private static final long NEXT_IN = 16;
  private static final long AVAIL_IN = 32;
  private static final long READ_IN_LENGTH = 36;
  private static final long BLOCK_STATE = 21_160;

  private final CFunction init;
  private final CFunction inflate;

  private IsalCalls(SymbolLookup library) {
    this.init = function(library, "isal_inflate_init");
    this.inflate = function(library, "isal_inflate");
  }

  /**
   * Loads the library; it stays loaded.
   *
   * @throws UnsatisfiedLinkError if it is not installed, or not what its name says
   */
  public static IsalCalls load() {
    try {
      return new IsalCalls(SymbolLookup.libraryLookup(LIBRARY, Arena.global()));
    } catch (IllegalArgumentException e) {
      throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(e.getMessage()).initCause(e);
    }
  }

  private static CFunction function(SymbolLookup library, String name) {
    return new CFunction(
        name,
        library
            .find(name)
            .orElseThrow(() -> new UnsatisfiedLinkError(LIBRARY + " has no function " + name)));
  }

  /** {@code isal_inflate_init}: for raw deflate data. */
  public void init(MemorySegment capture, MemorySegment state) {
    int _ = init.call(capture, CFunction.at(state)); // it returns nothing
  }

  /** {@code isal_inflate}: goes on until the input or the room is used up or the data ends. */
  public int inflate(MemorySegment capture, MemorySegment state) {
    return inflate.call(capture, CFunction.at(state));
  }

  /** Sets {@code next_in} and {@code avail_in}. */
  public static void input(MemorySegment state, MemorySegment from) {
    state.set(JAVA_LONG, NEXT_IN, CFunction.at(from));
    state.set(JAVA_INT, AVAIL_IN, (int) from.byteSize());
  }

  /** Sets {@code next_out} and {@code avail_out}. */
  public static void room(MemorySegment state, MemorySegment to) {
    state.set(JAVA_LONG, NEXT_OUT, CFunction.at(to));
    state.set(JAVA_INT, AVAIL_OUT, (int) to.byteSize());
  }

  /** {@code avail_in}. */
  public static int inputLeft(MemorySegment state) {
    return state.get(JAVA_INT, AVAIL_IN);
  }

  /** {@code avail_out}. */
  public static int roomLeft(MemorySegment state) {
    return state.get(JAVA_INT, AVAIL_OUT);
  }

  /** {@code read_in_length}: bits that were taken from the input and are not used. */
  public static int bitsAhead(MemorySegment state) {
    return state.get(JAVA_INT, READ_IN_LENGTH);
  }

  /** {@code block_state}. */
  public static int blockState(MemorySegment state) {
    return state.get(JAVA_INT, BLOCK_STATE);
  }
}
