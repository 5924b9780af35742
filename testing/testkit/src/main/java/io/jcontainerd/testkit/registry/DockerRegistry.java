package io.jcontainerd.testkit.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A real registry, Debian's {@code docker-registry}, on a free port of loopback, by default without
 * TLS and without credentials. It keeps everything below one folder; closing ends the process and
 * leaves the folder.
 */
public final class DockerRegistry implements AutoCloseable {
  /** Where the program is. */
  public static final Path BINARY = Path.of("/usr/bin/docker-registry");

  private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:([0-9]+)");
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration POLL = Duration.ofMillis(10);

  private final Process process;
  private final String address;

  private DockerRegistry(Process process, String address) {
    this.process = process;
    this.address = address;
  }

  /**
   * TLS, and users with passwords.
   *
   * @param certificate the registry's, a PEM file
   * @param key of the certificate, a PEM file
   * @param passwords lines of {@code user:hash}, the hashes by bcrypt
   */
  public record Guarded(Path certificate, Path key, Path passwords) {
    private String http() {
      return ", tls: {certificate: \"%s\", key: \"%s\"}"
          .formatted(certificate.toAbsolutePath(), key.toAbsolutePath());
    }

    private String auth() {
      return "auth: {htpasswd: {realm: \"test\", path: \"%s\"}}"
          .formatted(passwords.toAbsolutePath());
    }
  }

  /**
   * Tokens that somebody else gives.
   *
   * @param realm where
   * @param service what the registry is called there
   * @param issuer who signs them
   * @param roots authorities of the signers' certificates, a PEM file
   */
  public record Tokens(String realm, String service, String issuer, Path roots) {
    private String auth() {
      return "auth: {token: {realm: \"%s\", service: \"%s\", issuer: \"%s\", rootcertbundle: \"%s\"}}"
          .formatted(realm, service, issuer, roots.toAbsolutePath());
    }
  }

  /**
   * Starts a registry.
   *
   * @param folder made if absent; what an earlier registry kept there is served again
   * @throws IOException if it does not listen within 90 seconds; its log is in the message
   */
  public static DockerRegistry start(Path folder) throws IOException, InterruptedException {
    return start(folder, "", "");
  }

  /** Starts a registry that is spoken to with TLS by users with passwords. */
  public static DockerRegistry start(Path folder, Guarded guarded)
      throws IOException, InterruptedException {
    return start(folder, guarded.http(), guarded.auth());
  }

  /** Starts a registry that wants tokens. */
  public static DockerRegistry start(Path folder, Tokens tokens)
      throws IOException, InterruptedException {
    return start(folder, "", tokens.auth());
  }

  private static DockerRegistry start(Path folder, String http, String auth)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    Path config = folder.resolve("config.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: info}
        storage:
          filesystem: {rootdirectory: "%s"}
          delete: {enabled: true}
        http: {addr: "127.0.0.1:0", secret: "not secret"%s}
        %s
        """
            .formatted(folder.resolve("data").toAbsolutePath(), http, auth));
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(BINARY.toString(), "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      return new DockerRegistry(process, "127.0.0.1:" + port(process, log));
    } catch (IOException | InterruptedException | RuntimeException e) {
      end(process);
      throw e;
    }
  }

  private static String port(Process process, Path log) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      boolean ended = process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS);
      Optional<String> port = port(Files.readString(log));
      if (port.isPresent() && !ended) {
        return port.get();
      }
      if (ended || System.nanoTime() > deadline) {
        throw new IOException("docker-registry does not listen: " + Files.readString(log));
      }
    }
  }

  private static Optional<String> port(String log) {
    Matcher matcher = LISTENING.matcher(log);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** {@code host:port}, as in references. */
  public String address() {
    return address;
  }

  /** The process id. */
  public long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    end(process);
  }

  private static void end(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
