package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Seen;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Manifests to a registry, and what they refer to. */
final class ManifestPushCases {
  private static final String SPEC = "DS pushing manifests";
  private static final String SUBJECT = "DS pushing manifests with subject";
  private static final String TAG_SCHEMA = "DS referrers tag schema";
  private static final byte[] SIGNED =
      """
      {"schemaVersion":2,"config":{"mediaType":"application/vnd.example.config","digest":"%s",\
      "size":1},"layers":[],"subject":{"digest":"%s","size":1},"annotations":{"a":"b"}}"""
          .formatted("sha256:" + "a".repeat(64), Scene.IMAGE.digest())
          .getBytes(UTF_8);
  private static final String TAG = Scene.IMAGE.digest().toString().replace(':', '-');

  private ManifestPushCases() {}

  private static boolean isTag(Seen seen) {
    return seen.path().endsWith("/manifests/" + TAG);
  }

  /** The list at the tag, in short. */
  private static String list(Scene scene) {
    return scene
        .usual
        .manifest("y", TAG)
        .map(stored -> new String(stored.bytes(), UTF_8))
        .orElse("none");
  }

  private static String entry() {
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d,\"annotations\":{\"a\":\"b\"},"
            .formatted(MediaTypes.MANIFEST, Digest.sha256(SIGNED), SIGNED.length)
        + "\"artifactType\":\"application/vnd.example.config\"}";
  }

  private static String index(String entries) {
    return "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}"
        .formatted(MediaTypes.INDEX, entries);
  }

  static List<Case> all() {
    String other =
        "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":1}"
            .formatted(MediaTypes.MANIFEST, "c".repeat(64));
    return List.of(
        new Case(
            "a manifest to a tag",
            SPEC,
            "HEAD 404, PUT 201 => sent",
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.pushManifest(Scene.MANIFEST);
              Seen put = scene.seen("").getLast();
              assertThat(put).hasToString("PUT /v2/y/manifests/2");
              assertThat(put.header("Content-Type")).hasValue(MediaTypes.MANIFEST);
              assertThat(put.body()).isEqualTo(Scene.MANIFEST);
              return outcome;
            }),
        new Case(
            "a manifest that is there",
            SPEC,
            "HEAD 200 => nothing sent",
            scene -> {
              scene.usual.manifest("y", "2", MediaTypes.MANIFEST, Scene.MANIFEST);
              scene.registry(scene.usual);
              return scene.pushManifest(Scene.MANIFEST);
            }),
        new Case(
            "a tag of another manifest is moved",
            SPEC,
            "HEAD 200, PUT 201 => sent",
            scene -> {
              scene.usual.manifest("y", "2", MediaTypes.MANIFEST, "{}".getBytes(UTF_8));
              scene.registry(scene.usual);
              return scene.pushManifest(Scene.MANIFEST);
            }),
        new Case(
            "a manifest with what is not there",
            "DS error codes",
            "HEAD 404, PUT 400 => InvalidArgument",
            scene -> {
              scene.registry(
                  seen ->
                      seen.is("PUT")
                          ? UsualAnswers.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown")
                          : scene.usual.reply(seen));
              return scene.saying(
                  scene.pushManifest(Scene.MANIFEST), "MANIFEST_BLOB_UNKNOWN, blob unknown");
            }),
        new Case(
            "a manifest that is stored as another",
            "DS pushing manifests, Docker-Content-Digest",
            "HEAD 404, PUT 201 => DataLoss",
            scene -> {
              scene.registry(
                  seen ->
                      seen.is("PUT")
                          ? Reply.of(201)
                              .header("Docker-Content-Digest", "sha256:" + "b".repeat(64))
                          : scene.usual.reply(seen));
              return scene.pushManifest(Scene.MANIFEST);
            }),
        new Case(
            "a manifest under a wrong name does not leave us",
            "DS pushing manifests, digest must match",
            "nothing => InvalidArgument",
            scene -> {
              scene.registry(scene.usual);
              return scene.push(
                  new Descriptor(MediaTypes.MANIFEST, Scene.IMAGE.digest(), 2),
                  "{}".getBytes(UTF_8));
            }),
        new Case(
            "a manifest while the registry is busy",
            "RFC 6585 4",
            "HEAD 404, PUT 429, PUT 201 => sent",
            scene -> {
              AtomicInteger puts = new AtomicInteger();
              scene.registry(
                  seen ->
                      seen.is("PUT") && puts.incrementAndGet() == 1
                          ? Reply.of(429)
                          : scene.usual.reply(seen));
              return scene.pushManifest(Scene.MANIFEST);
            }),
        new Case(
            "a subject that the registry took note of",
            SUBJECT,
            "PUT 201 => sent, the list: none",
            scene -> {
              scene.registry(
                  seen ->
                      scene
                          .usual
                          .reply(seen)
                          .header("OCI-Subject", Scene.IMAGE.digest().toString()));
              return scene.pushManifest(SIGNED) + ", the list: " + list(scene);
            }),
        new Case(
            "a subject that the registry took no note of",
            TAG_SCHEMA,
            "PUT 201, GET 404, PUT 201 => sent, the list: " + index(entry()),
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.pushManifest(SIGNED);
              assertThat(scene.seen("").getLast().header("If-None-Match")).hasValue("*");
              return outcome + ", the list: " + list(scene);
            }),
        new Case(
            "a further referrer of the same subject",
            TAG_SCHEMA,
            "PUT 201, GET 200, PUT 201 => sent, the list: " + index(other + "," + entry()),
            scene -> {
              scene.usual.manifest("y", TAG, MediaTypes.INDEX, index(other).getBytes(UTF_8));
              scene.registry(scene.usual);
              return scene.pushManifest(SIGNED) + ", the list: " + list(scene);
            }),
        new Case(
            "a referrer that is listed is not listed again",
            TAG_SCHEMA,
            "PUT 201, GET 200 => sent",
            scene -> {
              scene.usual.manifest("y", TAG, MediaTypes.INDEX, index(entry()).getBytes(UTF_8));
              scene.registry(scene.usual);
              return scene.pushManifest(SIGNED);
            }),
        new Case(
            "a list that others change meanwhile is read again",
            "DS referrers tag schema, RFC 9110 13.1.1",
            "PUT 201, GET 200, PUT 412, GET 200, PUT 201 => sent, the list: "
                + index(other + "," + entry()),
            scene -> {
              scene.usual.manifest("y", TAG, MediaTypes.INDEX, index("").getBytes(UTF_8));
              AtomicInteger puts = new AtomicInteger();
              scene.registry(
                  seen -> {
                    if (!isTag(seen)) {
                      return scene.usual.reply(seen);
                    }
                    if (seen.is("GET")) {
                      return scene.usual.reply(seen).header("ETag", "\"e" + puts.get() + "\"");
                    }
                    assertThat(seen.header("If-Match")).hasValue("\"e" + puts.get() + "\"");
                    if (puts.incrementAndGet() == 1) {
                      scene.usual.manifest(
                          "y", TAG, MediaTypes.INDEX, index(other).getBytes(UTF_8));
                      return Reply.of(412);
                    }
                    return scene.usual.reply(seen);
                  });
              return scene.pushManifest(SIGNED) + ", the list: " + list(scene);
            }),
        new Case(
            "a list that is none is not written over",
            TAG_SCHEMA,
            "PUT 201, GET 200 => Unavailable",
            scene -> {
              scene.usual.manifest("y", TAG, MediaTypes.MANIFEST, Scene.MANIFEST);
              scene.registry(scene.usual);
              return scene.saying(scene.pushManifest(SIGNED), "what is no index");
            }));
  }
}
