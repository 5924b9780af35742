package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.IsalCalls;
import io.jcontainerd.linux.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * The ISA-L of this machine, if there is one of a release that is known, and it proved to work.
 *
 * <p>It is looked for when it is first asked for, once in a process. What is laid out otherwise
 * than expected would damage memory, so a library is used only if its file has the name of a known
 * release, and if it inflates what is given to it in pieces, tells where data ends, refuses damage,
 * and writes nowhere but where it should.
 */
public final class Isal {
  private static final String OFF = "CONTAINERD_DISABLE_IGZIP";
  private static final Pattern FILE =
      Pattern.compile("/libisal\\.so\\.2\\.(?:0\\.)?(3[0-2])(?:\\.[0-9]+)?$");
  private static final Path MAPS = Path.of("/proc/self/maps");

  private final @Nullable IsalCalls calls;
  private final String description;

  private Isal(@Nullable IsalCalls calls, String description) {
    this.calls = calls;
    this.description = description;
  }

  private static final class Holder {
    static final Isal FOUND = find(System.getenv(OFF));
  }

  /** What this machine has. */
  public static Isal ofMachine() {
    return Holder.FOUND;
  }

  /** A new inflater; empty if there is no library that can be used. */
  public Optional<IsalInflater> inflater() {
    return Optional.ofNullable(calls).map(IsalInflater::new);
  }

  /** Whether there is a library that can be used. */
  public boolean isUsable() {
    return calls != null;
  }

  /** The release of the library, or why there is none. */
  @Override
  public String toString() {
    return description;
  }

  static Isal find(@Nullable String off) {
    if (off != null && !off.isEmpty() && !off.equals("0") && !off.equalsIgnoreCase("false")) {
      return new Isal(null, OFF + " is set");
    }
    try {
      IsalCalls calls = IsalCalls.load();
      String release = release();
      prove(calls);
      return new Isal(calls, "ISA-L " + release);
    } catch (UnsatisfiedLinkError e) {
      return new Isal(null, String.valueOf(e.getMessage()));
    } catch (IOException | DataFormatException | RuntimeException e) {
      return new Isal(null, IsalCalls.LIBRARY + ": " + e.getMessage());
    }
  }

  private static String release() throws IOException {
    for (String line : Files.readAllLines(MAPS)) {
      if (line.contains("/libisal.so")) {
        String file = line.substring(line.indexOf('/'));
        return release(file).orElseThrow(() -> new IOException(file + " is of no known release"));
      }
    }
    throw new IOException("its file is not known");
  }

  /** The release that the name of a library's file tells, if its structures are known. */
  static Optional<String> release(String file) {
    Matcher matcher = FILE.matcher(file);
    return matcher.find() ? Optional.of("2." + matcher.group(1)) : Optional.empty();
  }

  private static final int GUARD = 1 << 16;
  private static final byte GUARD_BYTE = 0x5a;
  private static final int TRAILER = 8;

  /** More than a window, twice, and little enough to be given byte by byte. */
  private static final int MUCH = 150_000;

  private static final int LITTLE = 700;

  private static void prove(IsalCalls calls) throws IOException, DataFormatException {
    byte[] much = sample(MUCH);
    byte[] packed = deflate(much);
    stateHasItsSize(calls, much, packed);
    byte[] little = sample(LITTLE);
    byte[] packedLittle = deflate(little);
    try (IsalInflater inflater = new IsalInflater(calls)) {
      inPieces(inflater, much, packed, 40_000);
      inPieces(inflater, much, packed, 9_001);
      inPieces(inflater, little, packedLittle, 1);
      inPieces(inflater, little, packedLittle, 7);
      inflater.reset();
      refusesDamage(inflater);
    }
  }

  private static void refusesDamage(IsalInflater inflater) throws IOException, DataFormatException {
    ByteBuffer damaged = direct(new byte[] {7, 7, 7, 7}, 0);
    try {
      boolean _ = inflater.inflate(damaged, ByteBuffer.allocateDirect(64));
    } catch (DataFormatException e) {
      if ("invalid block".equals(e.getMessage())) {
        return;
      }
      throw e;
    }
    throw new IOException("damaged data is not refused");
  }

  /** Noise, runs and what repeats, so that all kinds of blocks are among what it is packed into. */
  private static byte[] sample(int size) {
    byte[] plain = new byte[size];
    byte[] noise = new byte[size / 3];
    new Random(size).nextBytes(noise);
    System.arraycopy(noise, 0, plain, 0, noise.length);
    System.arraycopy(noise, 0, plain, size / 2, noise.length / 2);
    System.arraycopy(noise, 0, plain, size - noise.length / 4, noise.length / 4);
    return plain;
  }

  private static byte[] deflate(byte[] plain) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try {
      byte[] packed = new byte[plain.length];
      deflater.setInput(plain);
      deflater.finish();
      return Arrays.copyOf(packed, deflater.deflate(packed));
    } finally {
      deflater.end();
    }
  }

  /** Inflates in a structure with a guard behind it, and looks at what is where in it. */
  private static void stateHasItsSize(IsalCalls calls, byte[] plain, byte[] packed)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(IsalCalls.STATE_SIZE + GUARD, 64);
      MemorySegment guard = memory.asSlice(IsalCalls.STATE_SIZE);
      guard.fill(GUARD_BYTE);
      MemorySegment to = arena.allocate(plain.length);
      MemorySegment capture = Libc.capture(arena);
      calls.init(capture, memory);
      boolean fits = IsalCalls.blockState(memory) == IsalCalls.ISAL_BLOCK_NEW_HDR;
      IsalCalls.input(memory, arena.allocateFrom(ValueLayout.JAVA_BYTE, packed));
      IsalCalls.room(memory, to);
      fits &= calls.inflate(capture, memory) == 0;
      fits &= IsalCalls.blockState(memory) == IsalCalls.ISAL_BLOCK_FINISH;
      fits &= IsalCalls.inputLeft(memory) == 0 && IsalCalls.roomLeft(memory) == 0;
      fits &= to.mismatch(MemorySegment.ofArray(plain)) < 0;
      byte[] untouched = new byte[GUARD];
      Arrays.fill(untouched, GUARD_BYTE);
      fits &= guard.mismatch(MemorySegment.ofArray(untouched)) < 0;
      if (!fits) {
        throw new IOException("its structures are not those that are known");
      }
    }
  }

  private static void inPieces(IsalInflater inflater, byte[] plain, byte[] packed, int step)
      throws IOException, DataFormatException {
    inflater.reset();
    ByteBuffer from = direct(packed, TRAILER);
    ByteBuffer to = ByteBuffer.allocateDirect(plain.length + step);
    boolean ended = false;
    int given = 0;
    while (!ended && given < from.capacity()) {
      given = Math.min(given + step, from.capacity());
      from.limit(given);
      do {
        to.limit(Math.min(to.position() + step, to.capacity()));
        ended = inflater.inflate(from, to);
      } while (!ended && !to.hasRemaining() && to.limit() < to.capacity());
    }
    boolean right = ended && from.position() == packed.length && to.position() == plain.length;
    if (!right || to.flip().mismatch(ByteBuffer.wrap(plain)) >= 0) {
      throw new IOException("what it inflates is not right");
    }
  }

  private static ByteBuffer direct(byte[] bytes, int more) {
    return ByteBuffer.allocateDirect(bytes.length + more).put(bytes).clear();
  }
}
