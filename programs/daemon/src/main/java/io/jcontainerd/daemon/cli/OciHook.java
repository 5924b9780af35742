package io.jcontainerd.daemon.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.linux.process.OwnProcess;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An OCI hook whose program gets facts of the container as arguments, for a specification is
 * written before they are known. {@code {{id}}}, {@code {{pid}}}, {@code {{status}}}, {@code
 * {{bundle}}}, {@code {{rootfs}}} and {@code {{annotation "KEY"}}} are replaced in its arguments
 * and in its environment.
 *
 * <p>The program is executed in this process, for an OCI runtime whose hook takes too long kills
 * the process that it knows, and no other.
 *
 * @param environment of the program
 * @param execution how it is executed
 */
public record OciHook(Map<String, String> environment, Execution execution) {
  /** The hook of this process: it becomes the program. */
  public static OciHook ofThisProcess() {
    return new OciHook(
        System.getenv(),
        (command, environment) -> {
          throw OwnProcess.become(command, environment);
        });
  }

  private static final Pattern ACTION =
      Pattern.compile("\\{\\{\\s*(\\w+)(?:\\s+(?:\"([^\"]*)\"|`([^`]*)`))?\\s*}}");

  /** Copies the environment. */
  public OciHook {
    environment = Map.copyOf(environment);
  }

  /** What executes a program. */
  @FunctionalInterface
  public interface Execution {
    /** The exit status, if this process is still there to tell it. */
    int run(List<String> command, Map<String, String> environment)
        throws IOException, InterruptedException;
  }

  /**
   * Executes the program, which has our standard streams.
   *
   * @param state the container's, as OCI runtimes give it to their hooks
   * @return its exit status
   */
  public int run(List<String> command, InputStream state) throws IOException, InterruptedException {
    if (command.isEmpty()) {
      throw new UsageException("oci-hook needs a program");
    }
    JsonObject told = JsonObject.parse(state.readAllBytes());
    Map<String, String> variables = new HashMap<>();
    environment.forEach((name, value) -> variables.put(name, replaced(value, told)));
    return execution.run(command.stream().map(word -> replaced(word, told)).toList(), variables);
  }

  /**
   * A text with its actions replaced.
   *
   * @throws InvalidArgumentException for an action that is not known
   */
  static String replaced(String text, JsonObject state) {
    var result = new StringBuilder();
    Matcher action = ACTION.matcher(text);
    int end = 0;
    for (int start = text.indexOf("{{"); start >= 0; start = text.indexOf("{{", end)) {
      if (!action.region(start, text.length()).lookingAt()) {
        throw new InvalidArgumentException("oci-hook: not understood: " + text.substring(start));
      }
      Optional<String> key = Optional.ofNullable(action.group(2)).or(() -> raw(action));
      result.append(text, end, start).append(fact(action.group(1), key, state));
      end = action.end();
    }
    return result.append(text, end, text.length()).toString();
  }

  private static Optional<String> raw(Matcher action) {
    return Optional.ofNullable(action.group(3));
  }

  private static String fact(String name, Optional<String> key, JsonObject state) {
    if (name.equals("annotation") && key.isPresent()) {
      return state.stringMap("annotations").getOrDefault(key.get(), "");
    }
    if (key.isPresent()) {
      throw new InvalidArgumentException("oci-hook: " + name + " takes nothing");
    }
    return switch (name) {
      case "id", "bundle", "status" -> state.string(name).orElse("");
      case "pid" -> Long.toString(state.integer("pid").orElse(0));
      case "rootfs" -> rootfs(Path.of(state.string("bundle").orElse("")));
      default -> throw new InvalidArgumentException("oci-hook: {{" + name + "}} is not known");
    };
  }

  private static String rootfs(Path bundle) {
    Path config = bundle.resolve("config.json");
    try {
      String root = Spec.parse(Files.readString(config).getBytes(UTF_8)).rootPath().orElse("");
      return bundle.resolve(root).toString();
    } catch (IOException e) {
      throw new InvalidArgumentException("oci-hook: " + config + " cannot be read", e);
    }
  }
}
