package io.jcontainerd.core.ports;

import java.io.IOException;
import java.nio.ByteBuffer;
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
   * @param endsWithGroup whether it takes along, when it ends, what it has started and what stayed
   *     in its process group
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Spawn(
      List<String> command,
      Map<String, String> environment,
      Path directory,
      byte[] input,
      boolean newSession,
      boolean endsWithGroup) {
    /** Copies command and environment. */
    public Spawn {
      command = List.copyOf(command);
      environment = Map.copyOf(environment);
    }

    /** A program that may leave others behind. */
    public Spawn(
        List<String> command,
        Map<String, String> environment,
        Path directory,
        byte[] input,
        boolean newSession) {
      this(command, environment, directory, input, newSession, false);
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
   * A program that bytes go through.
   *
   * @param spawn the program, without an input
   * @param extra what it finds at descriptor 3; nothing is there if empty
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Filter(Spawn spawn, Optional<byte[]> extra) {}

  /**
   * Starts programs each of which reads what the one before writes. Each takes its process group
   * along when it ends.
   *
   * @param filters at least one
   * @param maxError bytes that are kept of what each writes to its standard error
   * @throws IOException naming the program that cannot be started
   */
  Pipeline pipe(List<Filter> filters, int maxError) throws IOException;

  /**
   * Programs at work. One thread gives, another may take; whoever closes it must know that neither
   * is at it any more.
   */
  interface Pipeline extends AutoCloseable {
    /**
     * Gives bytes to the first program.
     *
     * @param from direct
     * @param patience how long to wait for room
     * @return how many it took; 0 if there was no room in time; -1 if it takes no more
     */
    int give(ByteBuffer from, Duration patience) throws IOException, InterruptedException;

    /** Nothing more will be given. */
    void finish() throws IOException;

    /**
     * Takes what the last program wrote.
     *
     * @param into direct
     * @param patience how long to wait
     * @return how many bytes came; 0 if none did in time; -1 if none will
     */
    int take(ByteBuffer into, Duration patience) throws IOException, InterruptedException;

    /**
     * Waits for the ends of all.
     *
     * @return one for each program, with its standard error; empty for those that did not end
     */
    List<Optional<Finished>> ends(Duration patience) throws IOException, InterruptedException;

    /** Kills what is still running. */
    @Override
    void close() throws IOException;
  }

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
