package io.jcontainerd.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/** The files of one ingest. Whoever holds the ref's lock may write, anybody may read. */
final class IngestFolder {
  static final String NEW = ".new-";

  private static final int FOLDER_MODE = 0755;
  private static final int FILE_MODE = 0644;
  private static final int OWNER_WRITE = 0200;

  private final Files files;
  private final Path path;

  IngestFolder(Files files, Path path) {
    this.files = files;
    this.path = path;
  }

  static String name(String ref) {
    return Digest.sha256(ref.getBytes(StandardCharsets.UTF_8)).hex();
  }

  Path path() {
    return path;
  }

  Path data() {
    return path.resolve("data");
  }

  boolean exists() throws IOException {
    return files.stat(path).isPresent();
  }

  /**
   * Makes the folder, which appears with all its files or not at all. The note on what is durable
   * comes first: a journal that brings {@code ref} back after a power cut brings the note's name,
   * too.
   */
  void create(IngestRequest request, String bootId, Instant now) throws IOException {
    Path beside = path.resolveSibling(NEW + path.getFileName());
    try {
      if (files.stat(beside).isPresent()) {
        files.deleteTree(beside);
      }
      files.createDirectory(beside, FOLDER_MODE);
      write(beside.resolve("forced"), bootId + " 0");
      write(beside.resolve("ref"), request.ref());
      write(beside.resolve("startedat"), now.toString());
      write(beside.resolve("updatedat"), now.toString());
      if (request.total() > 0) {
        write(beside.resolve("total"), Long.toString(request.total()));
      }
      write(beside.resolve("data"), "");
      files.renameNew(beside, path);
    } catch (IOException e) {
      try {
        if (files.stat(beside).isPresent()) {
          files.deleteTree(beside);
        }
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private void write(Path file, String text) throws IOException {
    try (Files.Handle handle = files.open(file, Files.Open.CREATE_NEW, FILE_MODE)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        handle.write(bytes, bytes.position());
      }
    }
  }

  /** Opens the bytes for writing. */
  Files.Handle open() throws IOException {
    Optional<FileStat> data = files.stat(data());
    if (data.isPresent() && (data.get().mode() & OWNER_WRITE) == 0) {
      files.setMode(data(), FILE_MODE); // a commit had begun
    }
    return files.open(data(), Files.Open.WRITE, FILE_MODE);
  }

  /** How far the ingest is; empty if the folder holds none. */
  Optional<IngestStatus> status() throws IOException {
    Optional<String> ref = read("ref").filter(text -> name(text).equals(path.getFileName() + ""));
    Optional<FileStat> data = files.stat(data());
    if (ref.isEmpty() || data.isEmpty()) {
      return Optional.empty();
    }
    Instant written = data.get().modified();
    Instant started = read("startedat").flatMap(IngestFolder::time).orElse(written);
    Instant updated = read("updatedat").flatMap(IngestFolder::time).orElse(written);
    return Optional.of(
        new IngestStatus(
            ref.get(),
            data.get().size(),
            read("total").flatMap(IngestFolder::number).orElse(0L),
            Optional.empty(),
            started,
            updated));
  }

  /** Removes texts that a dead process had half written. */
  void tidy() throws IOException {
    for (String name : files.list(path)) {
      if (name.startsWith(".")) {
        files.deleteTree(path.resolve(name));
      }
    }
  }

  void setTotal(long total) throws IOException {
    files.writeAll(path.resolve("total"), bytes(Long.toString(total)), FILE_MODE);
  }

  /** Notes that the bytes up to here are durable, and makes the whole folder so. */
  void noteForced(String bootId, long length, Instant now) throws IOException {
    for (String name : new String[] {"ref", "startedat"}) {
      try (Files.Handle handle = files.open(path.resolve(name), Files.Open.READ, 0)) {
        handle.force();
      }
    }
    files.writeAll(path.resolve("updatedat"), bytes(now.toString()), FILE_MODE);
    files.writeAll(path.resolve("forced"), bytes(bootId + " " + length), FILE_MODE);
    Path parent = path.getParent();
    if (parent != null) {
      files.forceDirectory(parent);
    }
  }

  /** Takes {@link #noteForced} back, if there was any: the bytes are about to be replaced. */
  void forgetForced(String bootId) throws IOException {
    if (files.stat(path.resolve("forced")).isPresent()) {
      files.writeAll(path.resolve("forced"), bytes(bootId + " 0"), FILE_MODE);
    }
  }

  /**
   * How many bytes can be trusted: all of them unless the machine was restarted since they were
   * written. Without a note they are another daemon's, which trusts all; a note that cannot be read
   * was not durable itself, so nothing is.
   */
  long trusted(String bootId, long size) throws IOException {
    Optional<String> text = read("forced");
    if (text.isEmpty()) {
      return size;
    }
    String[] note = text.get().split(" ", 2);
    if (note.length != 2) {
      return 0;
    }
    return note[0].equals(bootId) ? size : Math.min(size, number(note[1]).orElse(0L));
  }

  private Optional<String> read(String name) throws IOException {
    try {
      return Optional.of(new String(files.readAll(path.resolve(name)), StandardCharsets.UTF_8));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  private static Optional<Instant> time(String text) {
    try {
      return Optional.of(OffsetDateTime.parse(text.strip()).toInstant());
    } catch (DateTimeException _) {
      return Optional.empty();
    }
  }

  private static Optional<Long> number(String text) {
    try {
      return Optional.of(Long.parseLong(text.strip()));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
