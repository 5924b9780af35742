package io.jcontainerd.registry;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What answers of registries mean, in our words. */
final class Answers {
  private static final int LONGEST_ERROR = 64 << 10;
  private static final int LONGEST_TEXT = 300;

  private Answers() {}

  /**
   * The failure that an answer tells; its body is consumed.
   *
   * @param who as whom we asked
   */
  static ContainerdException failure(Ask ask, HttpResponse<InputStream> response, String who) {
    int status = response.statusCode();
    String message =
        "image "
            + ask.reference()
            + ": registry "
            + ask.host().name()
            + (ask.host().owns(response.uri())
                ? ""
                : ", by redirect to " + response.uri().getAuthority() + ",")
            + " answered "
            + status
            + " to "
            + ask.method()
            + " "
            + response.uri().getPath()
            + " ("
            + who
            + ")"
            + reason(response);
    return switch (status) {
      case 401 -> new UnauthenticatedException(message);
      case 403 -> new PermissionDeniedException(message);
      case 404, 410 -> new NotFoundException(message);
      case 400, 405, 411, 413, 415, 416, 422 -> new InvalidArgumentException(message);
      case 429 -> new ResourceExhaustedException(message);
      default -> status >= 500 ? new UnavailableException(message) : new UnknownException(message);
    };
  }

  /** What the body says, if it is the error document of the protocol. */
  private static String reason(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(LONGEST_ERROR);
      if (bytes.length == 0) {
        return "";
      }
      List<String> reasons = new ArrayList<>();
      for (JsonObject error : JsonObject.parse(bytes).objects("errors")) {
        String code = error.string("code").orElse("");
        String text = error.string("message").orElse("");
        reasons.add(text.isEmpty() ? code : code.isEmpty() ? text : code + ", " + text);
      }
      return reasons.isEmpty() ? "" : ": " + shorten(String.join("; ", reasons));
    } catch (InvalidArgumentException _) {
      return "";
    } catch (IOException e) {
      return " (and the explanation could not be read: " + e.getMessage() + ")";
    }
  }

  private static String shorten(String text) {
    String line = text.replaceAll("\\p{Cntrl}", " ");
    return line.length() > LONGEST_TEXT ? line.substring(0, LONGEST_TEXT) + "…" : line;
  }

  /** A header's only value. */
  static Optional<String> header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name);
  }

  /** The media type without its parameters. */
  static String mediaType(HttpResponse<?> response) {
    String type = header(response, "Content-Type").orElse("");
    int semicolon = type.indexOf(';');
    return (semicolon < 0 ? type : type.substring(0, semicolon)).strip();
  }

  /** A small JSON document. */
  static JsonObject document(HttpResponse<InputStream> response, int longest) throws IOException {
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(longest + 1);
      if (bytes.length > longest) {
        throw new IOException("answer is longer than " + longest + " bytes");
      }
      return Json.parse(new String(bytes, StandardCharsets.UTF_8))
          .asObject()
          .orElseThrow(() -> new IOException("answer is not a json object"));
    } catch (InvalidArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Lets go of an answer that nobody reads. */
  static void drop(HttpResponse<InputStream> response) {
    try {
      response.body().close();
    } catch (IOException e) {
      throw new IllegalStateException("closing a body stream does not fail", e);
    }
  }
}
