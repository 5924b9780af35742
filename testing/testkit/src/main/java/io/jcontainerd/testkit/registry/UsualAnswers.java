package io.jcontainerd.testkit.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Digest;
import java.net.URLDecoder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a registry answers that keeps to the distribution specification, with everything in memory
 * and without users. Scripts take their usual answers from it. Safe for many threads.
 */
public final class UsualAnswers implements Script {
  private static final Pattern PLACE =
      Pattern.compile(
          "/v2/(?<name>.+?)/(?<kind>manifests|blobs/uploads|blobs|tags)/(?<last>[^/]*)");
  private static final Pattern BYTES = Pattern.compile("bytes=([0-9]+)-([0-9]*)");
  private static final Pattern PIECE = Pattern.compile("([0-9]+)-([0-9]+)");

  /**
   * A manifest.
   *
   * @param type its media type
   * @param bytes the document
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Stored(String type, byte[] bytes) {
    Digest digest() {
      return Digest.sha256(bytes);
    }
  }

  private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
  private final Map<String, Stored> manifests = new ConcurrentHashMap<>();
  private final Map<String, byte[]> uploads = new ConcurrentHashMap<>();
  private final AtomicInteger numbers = new AtomicInteger();

  /** A registry without anything. */
  public UsualAnswers() {}

  /** Has a blob of a repository. */
  public UsualAnswers blob(String repository, byte[] bytes) {
    blobs.put(repository + "@" + Digest.sha256(bytes), bytes);
    return this;
  }

  /** Has a manifest of a repository, by digest and by tag. */
  public UsualAnswers manifest(String repository, String tag, String type, byte[] bytes) {
    Stored stored = new Stored(type, bytes);
    manifests.put(repository + ":" + tag, stored);
    manifests.put(repository + ":" + stored.digest(), stored);
    return this;
  }

  /** The blob, if it is there. */
  public Optional<byte[]> blob(String repository, Digest digest) {
    return Optional.ofNullable(blobs.get(repository + "@" + digest));
  }

  /** The manifest of a tag or digest, if it is there. */
  public Optional<Stored> manifest(String repository, String name) {
    return Optional.ofNullable(manifests.get(repository + ":" + name));
  }

  /** How many uploads are neither finished nor cancelled. */
  public int openUploads() {
    return uploads.size();
  }

  /** Forgets all uploads, as registries do after a while. */
  public void forgetUploads() {
    uploads.clear();
  }

  /** Keeps bytes of an upload's body that came before the line broke. */
  public void keep(Seen seen) {
    Matcher place = PLACE.matcher(seen.path());
    if (place.matches()) {
      uploads.computeIfPresent(place.group("last"), (_, before) -> joined(before, seen.body()));
    }
  }

  @Override
  public Reply reply(Seen seen) {
    Matcher place = PLACE.matcher(seen.path());
    if (!place.matches()) {
      return Reply.of(404);
    }
    String name = place.group("name");
    String last = place.group("last");
    return switch (place.group("kind")) {
      case "manifests" -> manifest(seen, name, last);
      case "blobs" -> blob(seen, name, last);
      case "tags" -> tags(name);
      default -> upload(seen, name, last);
    };
  }

  private Reply manifest(Seen seen, String name, String last) {
    if (seen.is("PUT")) {
      String type = seen.header("Content-Type").orElse("");
      manifest(name, last, type, seen.body());
      return Reply.of(201)
          .header("Location", seen.path())
          .header("Docker-Content-Digest", Digest.sha256(seen.body()).toString());
    }
    Stored stored = manifests.get(name + ":" + last);
    if (stored == null) {
      return error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }
    return Reply.of(200)
        .header("Content-Type", stored.type)
        .header("Docker-Content-Digest", stored.digest().toString())
        .body(stored.bytes);
  }

  private Reply blob(Seen seen, String name, String last) {
    byte[] bytes = blobs.get(name + "@" + last);
    if (bytes == null) {
      return error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    Reply reply = Reply.of(200).header("Docker-Content-Digest", last);
    Matcher range = BYTES.matcher(seen.header("Range").orElse(""));
    if (!range.matches()) {
      return reply.body(bytes);
    }
    int from = Integer.parseInt(range.group(1));
    int until =
        range.group(2).isEmpty()
            ? bytes.length
            : Math.min(Integer.parseInt(range.group(2)) + 1, bytes.length);
    if (from >= bytes.length) {
      return Reply.of(416).header("Content-Range", "bytes */" + bytes.length);
    }
    return Reply.of(206)
        .header("Content-Range", "bytes " + from + "-" + (until - 1) + "/" + bytes.length)
        .body(Arrays.copyOfRange(bytes, from, until));
  }

  private Reply tags(String name) {
    String tags =
        manifests.keySet().stream()
            .filter(key -> key.startsWith(name + ":") && !key.contains("sha256:"))
            .map(key -> "\"" + key.substring(name.length() + 1) + "\"")
            .sorted()
            .collect(Collectors.joining(","));
    return Reply.of(200).body("{\"name\":\"" + name + "\",\"tags\":[" + tags + "]}");
  }

  private Reply upload(Seen seen, String name, String id) {
    Map<String, String> query = query(seen);
    if (seen.is("POST")) {
      byte[] there = blobs.get(query.get("from") + "@" + query.get("mount"));
      if (there != null) {
        blob(name, there);
        return Reply.of(201).header("Location", "/v2/" + name + "/blobs/" + query.get("mount"));
      }
      String fresh = "u" + numbers.incrementAndGet();
      uploads.put(fresh, new byte[0]);
      return Reply.of(202).header("Location", "/v2/" + name + "/blobs/uploads/" + fresh + "?at=0");
    }
    byte[] before = uploads.get(id);
    if (before == null) {
      return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    }
    return switch (seen.method()) {
      case "DELETE" -> {
        uploads.remove(id);
        yield Reply.of(204);
      }
      case "PATCH" -> {
        Matcher piece = PIECE.matcher(seen.header("Content-Range").orElse(""));
        if (piece.matches() && Integer.parseInt(piece.group(1)) != before.length) {
          yield progress(416, name, id, before.length);
        }
        byte[] after = joined(before, seen.body());
        uploads.put(id, after);
        yield progress(202, name, id, after.length);
      }
      case "PUT" -> {
        byte[] whole = joined(before, seen.body());
        String digest = query.getOrDefault("digest", "");
        if (!Digest.sha256(whole).toString().equals(digest)) {
          yield error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        uploads.remove(id);
        blob(name, whole);
        yield Reply.of(201)
            .header("Location", "/v2/" + name + "/blobs/" + digest)
            .header("Docker-Content-Digest", digest);
      }
      default -> progress(204, name, id, before.length);
    };
  }

  private static Reply progress(int status, String name, String id, int length) {
    return Reply.of(status)
        .header("Location", "/v2/" + name + "/blobs/uploads/" + id + "?at=" + length)
        .header("Range", "0-" + Math.max(0, length - 1));
  }

  private static byte[] joined(byte[] before, byte[] more) {
    byte[] all = Arrays.copyOf(before, before.length + more.length);
    System.arraycopy(more, 0, all, before.length, more.length);
    return all;
  }

  private static Map<String, String> query(Seen seen) {
    Map<String, String> query = new LinkedHashMap<>();
    for (String pair : seen.query().split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        query.put(pair.substring(0, equals), URLDecoder.decode(pair.substring(equals + 1), UTF_8));
      }
    }
    return query;
  }

  /** An answer with the error document of the specification. */
  public static Reply error(int status, String code, String message) {
    return Reply.of(status)
        .header("Content-Type", "application/json")
        .body("{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"" + message + "\"}]}");
  }
}
