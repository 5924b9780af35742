package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.ScriptedRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** Blobs and manifests, on lines that break, and from servers that lie. */
final class FetchCases {
  private static final String BLOBS = "DS pulling blobs";
  private static final String RANGES = "RFC 9110 14";
  private static final String LENGTH = "RFC 9112 6.3";
  private static final int SIZE = Scene.BLOB.length;

  private FetchCases() {}

  private static Reply whole() {
    return Reply.of(200).body(Scene.BLOB);
  }

  private static Reply part(int from, int until, String range) {
    return Reply.of(206)
        .header("Content-Range", range)
        .body(Arrays.copyOfRange(Scene.BLOB, from, until));
  }

  /** The first answers as told, then the usual ones. */
  private static Case fetching(String name, String spec, String expected, Reply... first) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(scene.first(first));
          return scene.fetch();
        });
  }

  private static Case resuming(String name, String spec, String expected, Reply... first) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(scene.first(first));
          return scene.fetch(Scene.LAYER, 40_000);
        });
  }

  private static Case failing(
      String name, String spec, String expected, Reply always, String said) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(Scene.always(always));
          return scene.saying(scene.fetch(), said, "image REGISTRY/x:1", "registry REGISTRY");
        });
  }

  /** Breaks each line after so many bytes. */
  private static Script breaking(Scene scene, int bytes) {
    return seen -> {
      Reply reply = scene.usual.reply(seen);
      return reply.body().length > bytes ? reply.closingAfter(bytes) : reply;
    };
  }

  static List<Case> all() {
    Descriptor manifest = Scene.IMAGE;
    return List.of(
        new Case(
            "a blob",
            BLOBS,
            "GET 200 => the blob",
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.fetch();
              assertThat(scene.seen("").getFirst().header("Range")).isEmpty();
              assertThat(scene.seen("").getFirst().header("Accept-Encoding")).hasValue("identity");
              return outcome;
            }),
        new Case(
            "the rest of a blob",
            RANGES,
            "GET 206 => 60000 bytes of it",
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.fetch(Scene.LAYER, 40_000);
              assertThat(scene.seen("").getFirst().header("Range")).hasValue("bytes=40000-");
              return outcome;
            }),
        new Case(
            "nothing of a blob",
            BLOBS,
            "nothing => 0 bytes of it",
            scene -> {
              scene.registry(scene.usual);
              return scene.fetch(Scene.LAYER, SIZE);
            }),
        resuming("a range is ignored", "RFC 9110 14.2", "GET 200 => 60000 bytes of it", whole()),
        resuming(
            "a range is refused",
            "RFC 9110 15.5.17",
            "GET 416, GET 200 => 60000 bytes of it",
            Reply.of(416).header("Content-Range", "bytes */" + SIZE)),
        resuming(
            "another range comes",
            "RFC 9110 14.4",
            "GET 206, GET 200 => 60000 bytes of it",
            part(0, 60_000, "bytes 0-59999/100000")),
        resuming(
            "a range comes without a name",
            "RFC 9110 14.4",
            "GET 206, GET 200 => 60000 bytes of it",
            Reply.of(206).body("--part\r\n")),
        new Case(
            "a range of a blob of another size",
            "RFC 9110 14.4",
            "GET 206 => Unavailable",
            scene -> {
              scene.registry(Scene.always(part(40_000, SIZE, "bytes 40000-99999/200000")));
              return scene.saying(
                  scene.fetch(Scene.LAYER, 40_000),
                  "has 200000 bytes where 100000 were to be expected");
            }),
        failing(
            "a part comes where the whole was asked",
            "RFC 9110 15.3.7",
            "GET 206 => Unavailable",
            part(0, 10, "bytes 0-9/100000"),
            "(anonymous): answered with a part of what was asked for as a whole"),
        fetching(
            "the whole comes as a part",
            "RFC 9110 15.3.7",
            "GET 206 => the blob",
            part(0, SIZE, "bytes 0-99999/100000")),
        fetching(
            "cut short of its length",
            LENGTH,
            "GET 200!, GET 206 => the blob",
            whole().closingAfter(30_000)),
        new Case(
            "reset in the middle",
            "RFC 9293 3.10.7",
            "nothing => the blob, after a reset",
            scene -> {
              // how much came before a reset is for the kernel to say, so there is no trace
              ScriptedRegistry server =
                  scene.closing(new ScriptedRegistry(scene.first(whole().resettingAfter(30_000))));
              scene.registry(server.address());
              return scene.fetch() + (server.seen().size() == 2 ? ", after a reset" : "");
            }),
        fetching(
            "cut, and cut again",
            LENGTH,
            "GET 200!, GET 206!, GET 206 => the blob",
            whole().closingAfter(30_000),
            part(30_000, SIZE, "bytes 30000-99999/100000").closingAfter(20_000)),
        fetching("in chunks", "RFC 9112 7.1", "GET 200 => the blob", whole().inChunks()),
        fetching(
            "chunks that end too early",
            "RFC 9112 8",
            "GET 200!, GET 206 => the blob",
            whole().inChunks().closingAfter(30_000)),
        fetching(
            "without a length, to the end of the connection",
            LENGTH,
            "GET 200 => the blob",
            whole().length(-1)),
        fetching(
            "without a length, ended too early",
            LENGTH,
            "GET 200!, GET 206 => the blob",
            whole().length(-1).closingAfter(30_000)),
        failing(
            "a length that is too short",
            "RFC 9110 8.6",
            "GET 200! => Unavailable",
            whole().length(99_999).closingAfter(99_999),
            "announced 99999 bytes where 100000 were to be expected"),
        failing(
            "a length that is too long",
            "RFC 9110 8.6",
            "GET 200! => Unavailable",
            whole().length(100_001).closingAfter(SIZE),
            "announced 100001 bytes where 100000 were to be expected"),
        new Case(
            "more bytes than the blob has",
            BLOBS,
            "GET 200 => IOException",
            scene -> {
              scene.registry(
                  Scene.always(Reply.of(200).body(Scene.random(SIZE + 10, 1)).inChunks()));
              return scene.saying(scene.fetch(), "more than the announced 100000 bytes came");
            }),
        new Case(
            "every line brings a fifth",
            "a registry that drops",
            "GET 200!, GET 206! x3, GET 206 => the blob",
            scene -> {
              scene.registry(breaking(scene, 20_000));
              return scene.fetch();
            }),
        new Case(
            "every line brings a byte",
            "docs/registries.md",
            "GET 200!, GET 206! x4 => IOException",
            scene -> {
              scene.registry(breaking(scene, 1));
              return scene.saying(
                  scene.fetch(), "only 5 of 100000 bytes came; registry REGISTRY: ");
            }),
        new Case(
            "silence in the middle",
            "docs/registries.md, stalls",
            "GET 200!, GET 206 => the blob",
            scene -> {
              scene.options(o -> o.withTimeouts(Duration.ofSeconds(20), Scene.SILENCE));
              scene.registry(scene.first(whole().stallingAfter(30_000)));
              return scene.fetch();
            }),
        new Case(
            "silence in the middle, each time",
            "docs/registries.md, stalls",
            "GET 200! x2 => IOException",
            scene -> {
              scene.options(
                  o ->
                      o.withAttempts(2)
                          .withTimeouts(Duration.ofSeconds(20), Duration.ofMillis(100)));
              scene.registry(Scene.always(whole().stallingAfter(0)));
              return scene.saying(
                  scene.fetch(),
                  "content " + Scene.LAYER.digest() + " of image REGISTRY/x:1: only 0 of 100000",
                  "registry REGISTRY: no bytes for 100 ms; registry REGISTRY: no bytes");
            }),
        new Case(
            "silence in place of an answer",
            "docs/registries.md, stalls",
            "GET silence x2 => Unavailable",
            scene -> {
              scene.options(
                  o -> o.withAttempts(5).withTimeouts(Scene.SILENCE, Duration.ofSeconds(20)));
              scene.registry(Scene.always(Reply.silence()));
              return scene.saying(
                  scene.fetch(),
                  "registry REGISTRY gave no answer to GET /v2/x/blobs/"
                      + Scene.LAYER.digest()
                      + " (anonymous) 2 times: no answer within 2000 ms");
            }),
        failing(
            "an unknown blob",
            "DS error codes",
            "GET 404 => NotFound",
            Reply.of(404),
            "answered 404 to GET /v2/x/blobs/"),
        failing(
            "a blob that calls itself another",
            "DS pulling blobs, Docker-Content-Digest",
            "GET 200 => DataLoss",
            whole().header("Docker-Content-Digest", "sha256:" + "b".repeat(64)),
            "instead of " + Scene.LAYER.digest()),
        failing(
            "a blob that is packed",
            "RFC 9110 8.4",
            "GET 200 => Unavailable",
            whole().header("Content-Encoding", "gzip"),
            "content encoding \"gzip\", which nobody asked for"),
        new Case(
            "other bytes of the right length are for the store to refuse",
            "core.registry.Registry",
            "GET 200 => 100000 other bytes",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body(Scene.random(SIZE, 2))));
              return scene.fetch();
            }),
        new Case(
            "a part for one of several lines",
            RANGES,
            "GET 206 => 5000 bytes of it",
            scene -> {
              scene.registry(scene.usual);
              String outcome = scene.fetchPart(70_000, 5_000);
              assertThat(scene.seen("").getFirst().header("Range")).hasValue("bytes=70000-74999");
              return outcome;
            }),
        new Case(
            "a part of who gives none",
            RANGES,
            "GET 200 => no part",
            scene -> {
              scene.registry(Scene.always(whole()));
              return scene.fetchPart(70_000, 5_000);
            }),
        new Case(
            "a part that breaks is not resumed",
            "core.registry.Registry",
            "GET 206! => IOException",
            scene -> {
              scene.registry(breaking(scene, 1_000));
              return scene.fetchPart(70_000, 5_000);
            }),
        new Case(
            "a manifest",
            "DS pulling manifests",
            "GET 200 => the manifest",
            scene -> {
              scene.registry(scene.usual);
              return scene.fetch(manifest, 0);
            }),
        new Case(
            "a manifest that is cut is asked for again",
            LENGTH,
            "GET 200!, GET 200 => the manifest",
            scene -> {
              scene.registry(scene.first(Reply.of(200).body(Scene.MANIFEST).closingAfter(10)));
              return scene.fetch(manifest, 0);
            }),
        new Case(
            "a manifest with other bytes",
            "DS pulling manifests, digest must match",
            "GET 200 => DataLoss",
            scene -> {
              byte[] other = Scene.MANIFEST.clone();
              other[0] = ' ';
              scene.registry(Scene.always(Reply.of(200).body(other)));
              return scene.saying(scene.fetch(manifest, 0), "of " + manifest.digest());
            }),
        new Case(
            "a manifest that is shorter than announced",
            "DS pulling manifests, digest must match",
            "GET 200 => DataLoss",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body("{}")));
              return scene.fetch(manifest, 0);
            }),
        new Case(
            "a manifest beyond the limit is not asked for",
            "DS pulling manifests, limits",
            "nothing => InvalidArgument",
            scene -> {
              scene.registry(scene.usual);
              return scene.fetch(
                  new Descriptor(MediaTypes.INDEX, Digest.sha256("x".getBytes(UTF_8)), 9_000_000),
                  0);
            }),
        new Case(
            "two blobs at once come on two connections",
            "RFC 9112 9.3",
            "GET 200 x2 => the blob, the blob, 2 connections",
            scene -> {
              scene.options(o -> o.withPlainHttp(_ -> true));
              var server = scene.registry(scene.usual);
              try (var first = scene.client().fetch(scene.image(), Scene.LAYER, 0)) {
                first.readNBytes(1);
                String second = scene.fetch();
                boolean right = first.readAllBytes().length == SIZE - 1;
                return (right ? "the blob, " : "broken, ")
                    + second
                    + ", "
                    + server.connections()
                    + " connections";
              }
            }));
  }
}
