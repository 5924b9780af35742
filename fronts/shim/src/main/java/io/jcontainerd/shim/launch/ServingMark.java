package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.linux.process.ProcessIdentity;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Files in a host's state folder, by which a host and who sends clients to it agree.
 *
 * <p>{@code serving} is there as long as the host takes new clients: its pid, its start time and
 * its address in one line. {@code expected} is written by who is about to send a client. A sender
 * first writes {@code expected} and then looks for {@code serving}; a host that wants to leave
 * first removes {@code serving} and then looks at {@code expected}. So at least one of them sees
 * the other: no client is sent to a socket that is about to go.
 *
 * <p>A daemon that knows when its client is there does not keep the host waiting for longer: it
 * writes a file of its own for each, {@code coming/NAME}, in place of {@code expected}, and removes
 * it then.
 *
 * @param folder the host's state folder
 */
public record ServingMark(Path folder) {
  /** A client that does not come within this time is not waited for. */
  private static final Duration COMES_WITHIN = Duration.ofSeconds(15);

  /** Who serves. */
  public record Host(ProcessIdentity process, String address) {}

  private Path serving() {
    return folder.resolve("serving");
  }

  private Path expected() {
    return folder.resolve("expected");
  }

  private Path coming() {
    return folder.resolve("coming");
  }

  /** This process serves from now on. */
  public void set(String address) throws IOException {
    ProcessIdentity self =
        ProcessIdentity.of((int) ProcessHandle.current().pid())
            .orElseThrow(() -> new IOException("/proc does not know this process"));
    String line = "%d %d %s\n".formatted(self.pid(), self.startTicks(), address);
    Path beside = folder.resolve(".serving.new");
    Files.writeString(beside, line);
    Files.move(beside, serving(), StandardCopyOption.ATOMIC_MOVE);
  }

  /** No client may be sent from now on, but for those that {@link #isExpecting} tells of. */
  public void clear() throws IOException {
    Files.deleteIfExists(serving());
  }

  /** Whether somebody has sent a client a short while ago. */
  public boolean isExpecting() throws IOException {
    return isRecent(expected()) || isSomebodyComing();
  }

  private boolean isSomebodyComing() throws IOException {
    try (DirectoryStream<Path> announced = Files.newDirectoryStream(coming())) {
      for (Path file : announced) {
        if (isRecent(file)) {
          return true;
        }
      }
      return false;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static boolean isRecent(Path file) throws IOException {
    try {
      Instant told = Files.getLastModifiedTime(file).toInstant();
      return told.isAfter(Instant.now().minus(COMES_WITHIN));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** A client will come. To be called before {@link #find}. */
  public void expect() throws IOException {
    Files.write(expected(), "\n".getBytes(UTF_8));
  }

  /** The host, if there is one that lives. */
  public Optional<Host> find() throws IOException {
    String[] words;
    try {
      words = Files.readString(serving()).strip().split(" ", 3);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    if (words.length != 3) {
      return Optional.empty();
    }
    ProcessIdentity process;
    try {
      process = new ProcessIdentity(Integer.parseInt(words[0]), Long.parseLong(words[1]));
    } catch (NumberFormatException e) {
      throw new IOException(serving() + " is damaged", e);
    }
    return process.isRunning() ? Optional.of(new Host(process, words[2])) : Optional.empty();
  }
}
