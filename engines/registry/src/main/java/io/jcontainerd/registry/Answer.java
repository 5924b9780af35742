package io.jcontainerd.registry;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a registry answered, and what it means in our words. Whoever gets one drops it, reads its
 * body to the end, or makes a failure of it.
 *
 * @param ask the request
 * @param response the answer to its last try
 * @param who as whom that was sent, for messages
 * @param tries how often it was sent
 */
record Answer(Ask ask, HttpResponse<InputStream> response, String who, int tries) {
  private static final int LONGEST_ERROR = 64 << 10;
  private static final int MOST_REASONS = 20;

  int status() {
    return response.statusCode();
  }

  boolean isGood() {
    return status() / 100 == 2;
  }

  /** Where it came from, after redirects. */
  URI from() {
    return response.uri();
  }

  /** A header's first value. */
  Optional<String> header(String name) {
    return response.headers().firstValue(name);
  }

  List<String> headers(String name) {
    return response.headers().allValues(name);
  }

  /** How many bytes the body has, if that is told. */
  OptionalLong length() {
    try {
      return response.headers().firstValueAsLong("Content-Length");
    } catch (NumberFormatException _) {
      return OptionalLong.empty();
    }
  }

  /** The media type without its parameters. */
  String mediaType() {
    String type = header("Content-Type").orElse("");
    int semicolon = type.indexOf(';');
    return (semicolon < 0 ? type : type.substring(0, semicolon)).strip();
  }

  /** What was asked and as whom, for messages about an answer that came but is none. */
  String question() {
    return ask.method() + " " + Printable.path(from()) + " (" + who + ")";
  }

  /** The digest that the answer claims, as it stands there. */
  Optional<String> claimed() {
    return header("Docker-Content-Digest");
  }

  /** Whether the answer claims to be of another digest, of the same algorithm or of none. */
  boolean denies(Digest digest) {
    return claimed()
        .filter(
            text -> {
              try {
                Digest told = Digest.parse(text);
                return told.algorithm().equals(digest.algorithm()) && !told.equals(digest);
              } catch (InvalidArgumentException _) {
                return true;
              }
            })
        .isPresent();
  }

  /**
   * The body.
   *
   * @throws IOException if it is packed in a way that nobody asked for
   */
  InputStream body() throws IOException {
    Optional<String> packed =
        header("Content-Encoding").filter(coding -> !coding.equalsIgnoreCase("identity"));
    if (packed.isPresent()) {
      drop();
      throw new FinalException(
          question()
              + ": answered with content encoding \""
              + Printable.text(packed.get())
              + "\", which nobody asked for");
    }
    return response.body();
  }

  /**
   * The body, all of it.
   *
   * @throws IOException if it is longer
   */
  byte[] bytes(int longest) throws IOException {
    try (InputStream body = body()) {
      byte[] bytes = body.readNBytes(longest + 1);
      if (bytes.length > longest) {
        throw new FinalException(question() + ": answered with more than " + longest + " bytes");
      }
      return bytes;
    }
  }

  /** A body as a JSON object. */
  static JsonObject document(byte[] bytes) throws IOException {
    try {
      return JsonObject.parse(bytes);
    } catch (InvalidArgumentException e) {
      throw new IOException(
          "answered with what is no json object: " + Printable.text(String.valueOf(e.getMessage())),
          e);
    }
  }

  /** Lets go of it without reading. */
  void drop() {
    drop(response);
  }

  static void drop(HttpResponse<InputStream> response) {
    try {
      response.body().close();
    } catch (IOException e) {
      throw new IllegalStateException("closing a body stream does not fail", e);
    }
  }

  /** The failure that it tells; the body is consumed. */
  ContainerdException failure() {
    String message =
        ask.words()
            + (ask.host().owns(from())
                ? ""
                : ", by redirect to " + Printable.authority(from()) + ",")
            + " answered "
            + status()
            + " to "
            + ask.method()
            + " "
            + Printable.path(from())
            + " ("
            + who
            + ")"
            + (tries > 1 ? " " + tries + " times" : "")
            + header("Retry-After")
                .map(text -> ", to be asked again after " + Printable.text(text))
                .orElse("")
            + reason();
    return switch (status()) {
      case 401 -> new UnauthenticatedException(message);
      case 403, 451 -> new PermissionDeniedException(message);
      case 404, 410 -> new NotFoundException(message);
      case 400, 405, 411, 413, 415, 416, 422 -> new InvalidArgumentException(message);
      case 429 -> new ResourceExhaustedException(message);
      case 408 -> new UnavailableException(message);
      default ->
          status() >= 500 ? new UnavailableException(message) : new UnknownException(message);
    };
  }

  /** What the body says, if it is the error document of the protocol. */
  private String reason() {
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(LONGEST_ERROR);
      if (bytes.length == 0) {
        return "";
      }
      List<String> reasons = new ArrayList<>();
      for (JsonObject error :
          JsonObject.parse(bytes).objects("errors").stream().limit(MOST_REASONS).toList()) {
        String code = error.string("code").orElse("");
        String text = error.string("message").orElse("");
        reasons.add(text.isEmpty() ? code : code.isEmpty() ? text : code + ", " + text);
      }
      return reasons.isEmpty() ? "" : ": " + Printable.text(String.join("; ", reasons));
    } catch (InvalidArgumentException _) {
      return "";
    } catch (IOException e) {
      return " (and the explanation could not be read: " + e.getMessage() + ")";
    }
  }
}
