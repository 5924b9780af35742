package io.jcontainerd.registry.docker;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.registry.Credentials;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A program that keeps secrets, {@code docker-credential-NAME}: it is given the name of a registry
 * and answers with credentials as JSON. It has a deadline and may not say much; what it says is
 * never part of a message when it succeeded.
 */
final class CredentialHelper {
  private static final int LONGEST = 1 << 20;
  private static final int LONGEST_REASON = 200;
  private static final String NOT_FOUND = "credentials not found";
  private static final String TOKEN_USER = "<token>";
  private static final System.Logger LOG = System.getLogger(CredentialHelper.class.getName());

  private final String program;
  private final Map<String, String> environment;
  private final Duration deadline;

  /**
   * A helper.
   *
   * @param name what follows {@code docker-credential-}
   * @param environment all of it
   * @param deadline after which it is killed
   */
  CredentialHelper(String name, Map<String, String> environment, Duration deadline) {
    this.program = program(name);
    this.environment = environment;
    this.deadline = deadline;
  }

  static String program(String name) {
    return "docker-credential-" + name;
  }

  /**
   * What it knows of a server; empty if it knows nothing.
   *
   * @throws UnavailableException if it does not answer as helpers do
   */
  Optional<Credentials> get(String server) {
    long end = System.nanoTime() + deadline.toNanos();
    Process process = start();
    try {
      CompletableFuture<byte[]> output =
          CompletableFuture.supplyAsync(() -> read(process), Thread::startVirtualThread);
      give(process, server);
      byte[] said = output.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (said.length > LONGEST) {
        throw failed(server, "said more than " + LONGEST + " bytes", null);
      }
      if (!process.waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw late(server);
      }
      return understand(server, process.exitValue(), new String(said, UTF_8).strip());
    } catch (TimeoutException _) {
      throw late(server);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("credential helper " + program + " for " + server, e);
    } catch (ExecutionException e) {
      throw failed(server, "could not be listened to", e);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private Process start() {
    ProcessBuilder builder =
        new ProcessBuilder(find(), "get").redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UnavailableException("credential helper " + program + " cannot be started", e);
    }
  }

  /** By the path of the given environment, not by ours. */
  private String find() {
    for (String folder : environment.getOrDefault("PATH", "").split(":", -1)) {
      Path file = Path.of(folder.isEmpty() ? "." : folder, program);
      if (Files.isExecutable(file)) {
        return file.toString();
      }
    }
    throw new UnavailableException("credential helper " + program + " is not on the path");
  }

  private static byte[] read(Process process) {
    try {
      return process.getInputStream().readNBytes(LONGEST + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** It need not listen: what knows one secret only does not. What it then says is told by it. */
  private static void give(Process process, String server) {
    try (OutputStream in = process.getOutputStream()) {
      in.write(server.getBytes(UTF_8));
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "a credential helper did not listen", e);
    }
  }

  private Optional<Credentials> understand(String server, int status, String said) {
    if (status != 0) {
      if (said.contains(NOT_FOUND)) {
        return Optional.empty();
      }
      String reason = said.replaceAll("\\p{Cntrl}", " ");
      throw failed(
          server,
          "ended with "
              + status
              + (reason.isEmpty() ? "" : ": ")
              + reason.substring(0, Math.min(reason.length(), LONGEST_REASON)),
          null);
    }
    try {
      JsonObject answer = JsonObject.parse(said);
      String user = answer.string("Username").orElse("");
      String secret = answer.string("Secret").orElse("");
      if (secret.isEmpty()) {
        return Optional.empty();
      }
      return Optional.of(new Credentials(user.equals(TOKEN_USER) ? "" : user, secret, program));
    } catch (InvalidArgumentException _) { // whose message may quote a secret
      throw failed(server, "answered with what is no json object", null);
    }
  }

  private UnavailableException late(String server) {
    return failed(server, "did not end within " + deadline.toMillis() + " ms", null);
  }

  private UnavailableException failed(String server, String what, @Nullable Throwable cause) {
    String message = "credential helper " + program + " for " + server + " " + what;
    return cause == null
        ? new UnavailableException(message)
        : new UnavailableException(message, cause);
  }
}
