package io.jcontainerd.core.ports;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Starting programs and ending them. Safe for many threads. */
public interface Processes {
  /**
   * A program to start. It inherits no descriptor but its three standard ones.
   *
   * @param command the program, looked up on the path unless it holds a slash, and its arguments
   * @param environment all of it
   * @param directory where it starts
   * @param input its standard input, given whole
   * @param newSession whether it leads a session of its own, so that it can outlive this process
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Spawn(
      List<String> command,
      Map<String, String> environment,
      Path directory,
      byte[] input,
      boolean newSession) {
    /** Copies command and environment. */
    public Spawn {
      command = List.copyOf(command);
      environment = Map.copyOf(environment);
    }
  }

  /**
   * What came of a program that was waited for.
   *
   * @param status its exit code, or 128 and the signal's number
   * @param output its standard output
   * @param error its standard error
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Finished(int status, byte[] output, byte[] error) {}

  /**
   * Runs a program to its end.
   *
   * @param deadline after which it is killed
   * @param maxOutput bytes of each stream that are kept at most
   * @throws io.jcontainerd.core.failure.DeadlineExceededException if it was killed for its time
   */
  Finished run(Spawn spawn, Duration deadline, int maxOutput)
      throws IOException, InterruptedException;

  /**
   * Starts a program that is not waited for, its output going to the file or nowhere.
   *
   * @param output appended to; made with mode 0600
   * @return its process id
   */
  int start(Spawn spawn, Optional<Path> output) throws IOException;

  /**
   * Sends a signal.
   *
   * @return whether there was such a process
   */
  boolean signal(int pid, int signal) throws IOException;

  /** When the process started, in clock ticks since boot; empty if there is none. */
  Optional<Long> startTime(int pid) throws IOException;
}
