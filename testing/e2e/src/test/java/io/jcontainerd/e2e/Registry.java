package io.jcontainerd.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The distribution's {@code docker-registry} on loopback, with just enough of a client to fill it.
 */
final class Registry implements AutoCloseable {
  private final Process process;
  private final int port;
  private final HttpClient http = HttpClient.newHttpClient();

  private Registry(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Somebody else may take the port that was free a moment before. */
  private static final int TRIES = 5;

  static Registry start(Path folder) {
    for (int i = 1; ; i++) {
      Registry registry = launch(folder);
      Await.until("the registry answers", () -> !registry.process.isAlive() || registry.answers());
      if (registry.process.isAlive()) {
        return registry;
      }
      registry.close();
      if (i == TRIES) {
        throw new AssertionError("the registry ended: " + Scene.read(folder.resolve("log")));
      }
    }
  }

  private static Registry launch(Path folder) {
    try {
      Files.createDirectories(folder.resolve("data"));
      int port;
      try (ServerSocket free = new ServerSocket(0)) {
        port = free.getLocalPort();
      }
      Path config = folder.resolve("config.yml");
      Files.writeString(
          config,
          """
          version: 0.1
          log: {level: error}
          storage:
            filesystem: {rootdirectory: %s}
            delete: {enabled: true}
          http: {addr: "127.0.0.1:%d"}
          """
              .formatted(folder.resolve("data"), port));
      Process process =
          new ProcessBuilder("docker-registry", "serve", config.toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("log").toFile())
              .start();
      return new Registry(process, port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Host and port. */
  String host() {
    return "127.0.0.1:" + port;
  }

  /** Lets it say nothing more, with all its connections open. */
  void stop() {
    signal("STOP");
  }

  /** Lets it go on. */
  void go() {
    signal("CONT");
  }

  private void signal(String name) {
    Command.run("sh", "-c", "kill -%s %d".formatted(name, process.pid())).ok();
  }

  private boolean answers() {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://" + host() + "/v2/"))
              .timeout(Duration.ofSeconds(2))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  void blob(String repository, String digest, byte[] bytes) {
    blob(repository, digest, HttpRequest.BodyPublishers.ofByteArray(bytes));
  }

  void blob(String repository, String digest, Path file) throws IOException {
    blob(repository, digest, HttpRequest.BodyPublishers.ofFile(file));
  }

  private void blob(String repository, String digest, HttpRequest.BodyPublisher bytes) {
    String location =
        send(
                HttpRequest.newBuilder(
                        URI.create("http://%s/v2/%s/blobs/uploads/".formatted(host(), repository)))
                    .POST(HttpRequest.BodyPublishers.noBody()),
                202)
            .headers()
            .firstValue("Location")
            .orElseThrow();
    send(
        HttpRequest.newBuilder(
                URI.create(location + (location.contains("?") ? "&" : "?") + "digest=" + digest))
            .header("Content-Type", "application/octet-stream")
            .PUT(bytes),
        201);
  }

  void manifest(String repository, String reference, String mediaType, byte[] bytes) {
    send(
        HttpRequest.newBuilder(
                URI.create("http://%s/v2/%s/manifests/%s".formatted(host(), repository, reference)))
            .header("Content-Type", mediaType)
            .PUT(HttpRequest.BodyPublishers.ofByteArray(bytes)),
        201);
  }

  private HttpResponse<String> send(HttpRequest.Builder request, int wanted) {
    try {
      HttpResponse<String> response =
          http.send(
              request.timeout(Duration.ofMinutes(5)).build(), HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != wanted) {
        throw new AssertionError(response + ": " + response.body());
      }
      return response;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    http.close();
  }
}
