package io.jcontainerd.bench;

import io.jcontainerd.bench.OciArchive.Blob;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Set;

/** Puts images into a registry of this machine, without TLS. */
final class RegistryUpload implements AutoCloseable {
  private static final Set<Integer> GOOD = Set.of(200, 201, 202);
  private static final int ABSENT = 404;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI base;

  RegistryUpload(String address, String repository) {
    base = URI.create("http://" + address + "/v2/" + repository + "/");
  }

  /** The manifest under a tag; empty if there is none. */
  String manifest(String tag) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(base.resolve("manifests/" + tag))
                .header("Accept", OciArchive.MANIFEST)
                .build(),
            BodyHandlers.ofString());
    return answer.statusCode() == ABSENT ? "" : checked(answer).body();
  }

  void blob(Blob blob, BodyPublisher bytes) throws IOException, InterruptedException {
    HttpResponse<String> begun =
        send(
            HttpRequest.newBuilder(base.resolve("blobs/uploads/"))
                .POST(BodyPublishers.noBody())
                .build());
    String location = begun.headers().firstValue("location").orElseThrow();
    String join = location.indexOf('?') < 0 ? "?" : "&";
    var _ =
        send(
            HttpRequest.newBuilder(base.resolve(location + join + "digest=" + blob.digest()))
                .header("Content-Type", "application/octet-stream")
                .PUT(bytes)
                .build());
  }

  void manifest(String tag, String text) throws IOException, InterruptedException {
    var _ =
        send(
            HttpRequest.newBuilder(base.resolve("manifests/" + tag))
                .header("Content-Type", OciArchive.MANIFEST)
                .PUT(BodyPublishers.ofString(text))
                .build());
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return checked(client.send(request, BodyHandlers.ofString()));
  }

  private static HttpResponse<String> checked(HttpResponse<String> answer) throws IOException {
    if (!GOOD.contains(answer.statusCode())) {
      throw new IOException(
          answer.request().method()
              + " "
              + answer.uri()
              + ": "
              + answer.statusCode()
              + " "
              + answer.body());
    }
    return answer;
  }

  @Override
  public void close() {
    client.close();
  }
}
