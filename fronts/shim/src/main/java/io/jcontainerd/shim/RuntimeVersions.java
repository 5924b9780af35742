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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which version a runtime binary is of, and which of the runtime specification it knows: from its
 * {@code features}, or, where that is not told there, from its {@code --version}. Asked once for
 * each binary in the life of this host. Safe for many threads.
 */
final class RuntimeVersions {
  private static final System.Logger LOG = System.getLogger(RuntimeVersions.class.getName());
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int MAX_OUTPUT = 1024 * 1024;
  private static final Map<String, String> ANNOTATIONS =
      Map.of("runc", "org.opencontainers.runc.version", "crun", "run.oci.crun.version");

  /** Of a version that a distribution has added to, or of a preview, only this is compared. */
  private static final Pattern NUMBERS = Pattern.compile("^\\d{1,6}\\.\\d{1,6}(\\.\\d{1,6})?");

  private static final Pattern OWN =
      Pattern.compile("^(crun|runc) version (\\d{1,6}\\.\\d{1,6}(?:\\.\\d{1,6})?)");

  private final ProgramRunner runner;
  private final List<String> environment;
  private final Duration limit;
  private final Map<String, RuntimeVersion> known = new ConcurrentHashMap<>();

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

  /** What the binary says of itself. */
  RuntimeVersion of(String binary) throws IOException, InterruptedException {
    RuntimeVersion before = known.get(binary);
    if (before != null) {
      return before;
    }
    RuntimeVersion found;
    try {
      found = ask(binary);
    } catch (NoAnswerException e) { // says nothing about the next time
      LOG.log(Level.WARNING, e.getMessage() + "; it is taken for one of old", e);
      return RuntimeVersion.SILENT;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) { // which the command that follows tells in its own words
        LOG.log(Level.DEBUG, binary + " is not there", e);
        return RuntimeVersion.SILENT;
      }
      throw e;
    }
    known.put(binary, found);
    return found;
  }

  private RuntimeVersion ask(String binary) throws IOException, InterruptedException {
    RuntimeVersion found =
        output(binary, "features")
            .map(text -> features(binary, text))
            .orElse(RuntimeVersion.SILENT);
    if (found.own().isPresent() && found.announced().isPresent()) {
      return found;
    }
    List<String> lines = output(binary, "--version").stream().flatMap(String::lines).toList();
    Optional<SpecVersion> announced =
        found
            .announced()
            .or(
                () ->
                    lines.stream()
                        .filter(line -> line.startsWith("spec:"))
                        .map(line -> SpecVersion.parse(line.substring("spec:".length())))
                        .findFirst());
    return lines.stream()
        .map(OWN::matcher)
        .filter(Matcher::find)
        .findFirst()
        .map(
            own ->
                new RuntimeVersion(
                    own.group(1), Optional.of(SpecVersion.parse(own.group(2))), announced))
        .orElse(new RuntimeVersion(found.name(), found.own(), announced));
  }

  private static RuntimeVersion features(String binary, String text) {
    try {
      JsonObject features = JsonObject.parse(text);
      Optional<SpecVersion> announced = features.string("ociVersionMax").map(SpecVersion::parse);
      Map<String, String> notes = features.stringMap("annotations");
      for (String name : ANNOTATIONS.keySet()) {
        Matcher own = NUMBERS.matcher(notes.getOrDefault(ANNOTATIONS.get(name), ""));
        if (own.find()) {
          return new RuntimeVersion(name, Optional.of(SpecVersion.parse(own.group())), announced);
        }
      }
      return new RuntimeVersion("", Optional.empty(), announced);
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, binary + " features: unreadable answer", e);
      return RuntimeVersion.SILENT;
    }
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
