package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which version of the runtime specification a runtime binary knows: from its {@code features}, or,
 * where it has no such command, from the {@code spec:} line of its {@code --version}. Asked once
 * for each binary in the life of this host. Safe for many threads.
 */
final class RuntimeVersions {
  private static final System.Logger LOG = System.getLogger(RuntimeVersions.class.getName());
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int MAX_OUTPUT = 1024 * 1024;

  private final ProgramRunner runner;
  private final List<String> environment;
  private final Duration limit;
  private final Map<String, SpecVersion> known = new ConcurrentHashMap<>();

  RuntimeVersions(ProgramRunner runner, List<String> environment) {
    this(runner, environment, LIMIT);
  }

  RuntimeVersions(ProgramRunner runner, List<String> environment, Duration limit) {
    this.runner = runner;
    this.environment = environment;
    this.limit = limit;
  }

  private static final class NoAnswerException extends IOException {
    private static final long serialVersionUID = 1;

    NoAnswerException(String message) {
      super(message);
    }
  }

  /** The newest version that the binary announces. */
  SpecVersion newest(String binary) throws IOException, InterruptedException {
    SpecVersion before = known.get(binary);
    if (before != null) {
      return before;
    }
    SpecVersion found;
    try {
      found = ask(binary);
    } catch (NoAnswerException e) { // says nothing about the next time
      LOG.log(Level.WARNING, e.getMessage() + "; it is taken for one of old", e);
      return SpecVersion.FIRST;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) { // which the command that follows tells in its own words
        LOG.log(Level.DEBUG, binary + " is not there", e);
        return SpecVersion.FIRST;
      }
      throw e;
    }
    known.put(binary, found);
    return found;
  }

  private SpecVersion ask(String binary) throws IOException, InterruptedException {
    Optional<String> features = output(binary, "features");
    try {
      Optional<SpecVersion> newest =
          features
              .flatMap(text -> JsonObject.parse(text).string("ociVersionMax"))
              .map(SpecVersion::parse);
      if (newest.isPresent()) {
        return newest.get();
      }
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, binary + " features: unreadable answer", e);
    }
    Optional<SpecVersion> spec =
        output(binary, "--version").stream()
            .flatMap(String::lines)
            .filter(line -> line.startsWith("spec:"))
            .map(line -> SpecVersion.parse(line.substring("spec:".length())))
            .findFirst();
    return spec.orElse(SpecVersion.FIRST);
  }

  private Optional<String> output(String binary, String argument)
      throws IOException, InterruptedException {
    ProgramRunner.Finished finished =
        runner.run(
            Program.of(binary, List.of(argument), environment), new byte[0], limit, MAX_OUTPUT);
    if (finished.timedOut()) {
      throw new NoAnswerException(binary + " " + argument + ": no answer within " + limit);
    }
    return finished.exit().success()
        ? Optional.of(new String(finished.output(), UTF_8))
        : Optional.empty();
  }
}
