package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.linux.process.SealedProgram;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sealed copies of the OCI runtimes that would otherwise copy themselves in every command, which is
 * a third of the time that an exec by crun takes. Made again when the runtime's file has changed.
 * Only crun is copied: runc binds itself read-only instead, which takes it no time.
 *
 * <p>Safe for many threads. The monitor guards the copies and their counts; a copy is made while it
 * is held by nobody.
 */
final class RuntimeCopies implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(RuntimeCopies.class.getName());
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final String COPIES_ITSELF = "crun version ";
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final int MAX_OUTPUT = 64 * 1024;

  private final ProgramRunner runner;
  private final List<String> environment;
  private final String searched;
  private final Map<String, Copy> copies = new HashMap<>();

  /**
   * @param environment of the runtimes, as {@code NAME=value}
   * @param searched folders in which a name without slash is looked for, separated by colons
   */
  RuntimeCopies(ProgramRunner runner, List<String> environment, String searched) {
    this.runner = runner;
    this.environment = List.copyOf(environment);
    this.searched = searched;
  }

  /** Which state of a file a copy is of. */
  private record Stamp(Path file, @Nullable Object key, long size, FileTime changed) {
    static Stamp of(Path file) throws IOException {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(file, now.fileKey(), now.size(), now.lastModifiedTime());
    }
  }

  /** What is known of a file; without a program it is executed as it is. */
  private static final class Copy {
    private final Stamp stamp;
    private final @Nullable SealedProgram program;
    private int users;
    private boolean superseded;

    Copy(Stamp stamp, @Nullable SealedProgram program) {
      this.stamp = stamp;
      this.program = program;
    }

    void closeUnused() {
      if (superseded && users == 0 && program != null) {
        program.close();
      }
    }
  }

  /** A copy that stays until this is closed; perhaps none. */
  final class Use implements AutoCloseable {
    private @Nullable Copy copy;

    private Use(@Nullable Copy copy) {
      this.copy = copy;
    }

    /** The program, executed from its copy if it has one. */
    Program of(Program program) {
      Copy held = copy;
      return held == null || held.program == null
          ? program
          : program.executing(held.program.path());
    }

    @Override
    public void close() {
      synchronized (RuntimeCopies.this) {
        Copy held = copy;
        if (held != null) {
          copy = null;
          held.users--;
          held.closeUnused();
        }
      }
    }
  }

  /** The copy to execute a runtime from just now. A runtime without one is no worse for it. */
  Use use(String binary) throws InterruptedException {
    Stamp stamp;
    try {
      Optional<Path> file = file(binary);
      if (file.isEmpty()) {
        return new Use(null);
      }
      stamp = Stamp.of(file.get());
    } catch (IOException e) {
      LOG.log(Level.DEBUG, binary + " cannot be looked at", e);
      return new Use(null);
    }
    synchronized (this) {
      Copy known = copies.get(binary);
      if (known != null && known.stamp.equals(stamp)) {
        return used(known);
      }
    }
    Copy made;
    try {
      made = new Copy(stamp, copy(binary, stamp.file()));
    } catch (IOException e) { // not the file's fault, perhaps: the next command tries again
      LOG.log(Level.DEBUG, binary + " is executed from its file", e);
      return new Use(null);
    }
    synchronized (this) {
      Copy before = copies.put(binary, made);
      if (before != null) {
        supersede(before);
      }
      return used(made);
    }
  }

  private Use used(Copy copy) {
    copy.users++;
    return new Use(copy);
  }

  private static void supersede(Copy copy) {
    copy.superseded = true;
    copy.closeUnused();
  }

  private Optional<Path> file(String binary) {
    if (binary.contains("/")) {
      return Optional.of(Path.of(binary));
    }
    return Arrays.stream(searched.split(File.pathSeparator, -1))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, binary))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private @Nullable SealedProgram copy(String binary, Path file)
      throws IOException, InterruptedException {
    SealedProgram copy = null;
    boolean kept = false;
    try {
      if (!isElf(file)) {
        return null; // a script would see another name of itself
      }
      copy = SealedProgram.of(file);
      kept = version(binary, copy).startsWith(COPIES_ITSELF);
      return kept ? copy : null;
    } catch (ErrnoException e) {
      if (!e.is(Errno.EACCES, Errno.EPERM)) {
        throw e;
      }
      LOG.log(Level.DEBUG, "this host executes no copy of " + binary, e);
      return null;
    } finally {
      if (!kept && copy != null) {
        copy.close();
      }
    }
  }

  private static boolean isElf(Path file) throws IOException {
    try (InputStream input = Files.newInputStream(file)) {
      return Arrays.equals(input.readNBytes(ELF.length), ELF);
    }
  }

  /** Asked of the copy itself, which shows that this host lets it be executed. */
  private String version(String binary, SealedProgram copy)
      throws IOException, InterruptedException {
    ProgramRunner.Finished finished =
        runner.run(
            Program.of(binary, List.of("--version"), environment).executing(copy.path()),
            new byte[0],
            LIMIT,
            MAX_OUTPUT);
    if (finished.timedOut()) {
      throw new IOException(binary + " did not tell its version within " + LIMIT);
    }
    return finished.exit().success() ? new String(finished.output(), UTF_8) : "";
  }

  @Override
  public synchronized void close() {
    copies.values().forEach(RuntimeCopies::supersede);
    copies.clear();
  }
}
