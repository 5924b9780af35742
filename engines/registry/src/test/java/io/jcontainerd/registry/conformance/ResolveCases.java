package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.util.List;

/** What a name means. */
final class ResolveCases {
  private static final String SPEC = "DS pulling manifests";
  private static final String SCHEMA_1 =
      "application/vnd.docker.distribution.manifest.v1+prettyjws";

  private ResolveCases() {}

  private static Reply manifest() {
    return Reply.of(200)
        .header("Content-Type", MediaTypes.MANIFEST)
        .header("Docker-Content-Digest", Scene.IMAGE.digest().toString())
        .body(Scene.MANIFEST);
  }

  private static Reply document(String type, String text) {
    return Reply.of(200).header("Content-Type", type).body(text);
  }

  /** An answer to HEAD, and the usual ones to all else. */
  private static Script head(Scene scene, Reply reply) {
    return seen -> seen.is("HEAD") ? reply : scene.usual.reply(seen);
  }

  private static Case resolving(String name, String spec, String expected, Reply always) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(Scene.always(always));
          return scene.resolve();
        });
  }

  private static Case refusing(
      String name, String spec, String expected, Reply always, String said) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(Scene.always(always));
          return scene.saying(scene.resolve(), said, "image REGISTRY/x:1", "registry REGISTRY");
        });
  }

  private static Case heading(String name, String expected, Reply head) {
    return new Case(
        name,
        SPEC,
        expected,
        scene -> {
          scene.registry(head(scene, head));
          return scene.resolve();
        });
  }

  static List<Case> all() {
    String other = "sha256:" + "b".repeat(64);
    return List.of(
        new Case(
            "a tag is resolved by headers alone",
            SPEC,
            "HEAD 200 => resolved",
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.resolve();
              assertThat(scene.seen("").getFirst().header("Accept").orElse(""))
                  .contains(
                      MediaTypes.INDEX,
                      MediaTypes.MANIFEST,
                      MediaTypes.DOCKER_LIST,
                      MediaTypes.DOCKER_MANIFEST);
              return outcome;
            }),
        new Case(
            "a digest is resolved to itself",
            SPEC,
            "HEAD 200 => resolved",
            scene -> {
              String address = scene.registry(scene.usual).address();
              return scene.resolve(address + "/x@" + Scene.IMAGE.digest());
            }),
        heading("HEAD is not allowed", "HEAD 405, GET 200 => resolved", Reply.of(405)),
        heading("HEAD is not found, GET is", "HEAD 404, GET 200 => resolved", Reply.of(404)),
        heading("HEAD is not implemented", "HEAD 501, GET 200 => resolved", Reply.of(501)),
        heading(
            "HEAD names no digest",
            "HEAD 200, GET 200 => resolved",
            Reply.of(200).header("Content-Type", MediaTypes.MANIFEST).body(Scene.MANIFEST)),
        heading("HEAD names no length", "HEAD 200, GET 200 => resolved", manifest().length(-1)),
        heading(
            "HEAD names an empty manifest", "HEAD 200, GET 200 => resolved", manifest().length(0)),
        heading(
            "HEAD names a digest that is none",
            "HEAD 200, GET 200 => resolved",
            Reply.of(200)
                .header("Content-Type", MediaTypes.MANIFEST)
                .header("Docker-Content-Digest", "sha256:xyz")
                .body(Scene.MANIFEST)),
        heading(
            "HEAD names a type that no manifest has",
            "HEAD 200, GET 200 => resolved",
            Reply.of(200)
                .header("Content-Type", "text/html")
                .header("Docker-Content-Digest", Scene.IMAGE.digest().toString())
                .body(Scene.MANIFEST)),
        resolving(
            "a type with parameters",
            "RFC 9110 8.3.1",
            "HEAD 200 => resolved",
            Reply.of(200)
                .header("Content-Type", MediaTypes.MANIFEST + "; charset=utf-8")
                .header("Docker-Content-Digest", Scene.IMAGE.digest().toString())
                .body(Scene.MANIFEST)),
        new Case(
            "the type of a manifest that is only called json is read in it",
            SPEC,
            "HEAD 200, GET 200 => resolved",
            scene -> {
              scene.registry(
                  Scene.always(
                      Reply.of(200)
                          .header("Content-Type", "application/json")
                          .body(Scene.MANIFEST)));
              return scene.resolve();
            }),
        new Case(
            "an index is resolved as what it is",
            SPEC,
            "HEAD 200 => resolved " + MediaTypes.INDEX + " of 2 bytes",
            scene -> {
              scene.usual.manifest("x", "1", MediaTypes.INDEX, "{}".getBytes(UTF_8));
              scene.registry(scene.usual);
              return scene.resolve();
            }),
        new Case(
            "a list of Docker's is resolved as what it is",
            "Docker schema 2",
            "HEAD 200 => resolved " + MediaTypes.DOCKER_LIST + " of 2 bytes",
            scene -> {
              scene.usual.manifest("x", "1", MediaTypes.DOCKER_LIST, "{}".getBytes(UTF_8));
              scene.registry(scene.usual);
              return scene.resolve();
            }),
        new Case(
            "another digest than the asked one by HEAD",
            "DS pulling manifests, digest must match",
            "HEAD 200 => DataLoss",
            scene -> {
              String address = scene.registry(Scene.always(manifest())).address();
              return scene.saying(
                  scene.resolve(address + "/x@" + other), "answered with " + Scene.IMAGE.digest());
            }),
        new Case(
            "another content than the asked one by GET",
            "DS pulling manifests, digest must match",
            "HEAD 405, GET 200 => DataLoss",
            scene -> {
              String address =
                  scene
                      .registry(
                          seen ->
                              seen.is("HEAD")
                                  ? Reply.of(405)
                                  : document(MediaTypes.MANIFEST, "{\"schemaVersion\":2}"))
                      .address();
              return scene.resolve(address + "/x@" + Scene.IMAGE.digest());
            }),
        new Case(
            "a header that denies its own content",
            "DS pulling manifests, Docker-Content-Digest",
            "HEAD 405, GET 200 => DataLoss",
            scene -> {
              scene.registry(
                  seen ->
                      seen.is("HEAD")
                          ? Reply.of(405)
                          : document(MediaTypes.MANIFEST, "{}")
                              .header("Docker-Content-Digest", other));
              return scene.saying(scene.resolve(), "and called it " + other);
            }),
        new Case(
            "a digest of SHA-512",
            "image-spec descriptor, digests",
            "HEAD 405, GET 200 => resolved " + MediaTypes.MANIFEST + " of 2 bytes",
            scene -> {
              String address =
                  scene
                      .registry(
                          seen ->
                              seen.is("HEAD") ? Reply.of(405) : document(MediaTypes.MANIFEST, "{}"))
                      .address();
              Digest digest =
                  Digest.of("sha512", Digest.hasher("sha512").digest("{}".getBytes(UTF_8)));
              return scene.resolve(address + "/x@" + digest);
            }),
        refusing(
            "schema 1 by its type",
            "Docker schema 1, deprecated",
            "HEAD 200 => InvalidArgument",
            Reply.of(200)
                .header("Content-Type", SCHEMA_1)
                .header("Docker-Content-Digest", other)
                .body("{}"),
            "docker schema 1 manifest " + SCHEMA_1 + " is not supported"),
        refusing(
            "schema 1 by its content",
            "Docker schema 1, deprecated",
            "HEAD 200, GET 200 => InvalidArgument",
            document("application/json", "{\"schemaVersion\":1,\"fsLayers\":[]}"),
            "docker schema 1 manifest"),
        refusing(
            "a manifest that is announced too long",
            "DS pulling manifests, limits",
            "HEAD 200 => InvalidArgument",
            manifest().length(9_000_000),
            "the manifest of 9000000 bytes is longer than 8388608"),
        refusing(
            "a manifest that is too long",
            "DS pulling manifests, limits",
            "HEAD 200, GET 200 => Unavailable",
            document("application/json", " ".repeat(9_000_000)).inChunks(),
            "answered with more than 8388608 bytes"),
        refusing(
            "a page in place of a manifest",
            SPEC,
            "HEAD 200, GET 200 => InvalidArgument",
            document("text/html", "<p>log in"),
            "what is no manifest"),
        refusing(
            "a manifest that is also an index",
            "image-spec manifest, CVE-2021-41190",
            "HEAD 200, GET 200 => InvalidArgument",
            document("application/json", "{\"layers\":[],\"manifests\":[]}"),
            "both a manifest and an index"),
        refusing(
            "an unknown manifest",
            "DS error codes",
            "HEAD 404, GET 404 => NotFound",
            UsualAnswers.error(404, "MANIFEST_UNKNOWN", "no such thing"),
            "answered 404 to GET /v2/x/manifests/1 (anonymous): MANIFEST_UNKNOWN, no such thing"),
        refusing(
            "a forbidden manifest",
            "DS error codes",
            "HEAD 403, GET 403 => PermissionDenied",
            UsualAnswers.error(403, "DENIED", "not for you"),
            "answered 403 to GET /v2/x/manifests/1 (anonymous): DENIED, not for you"));
  }
}
