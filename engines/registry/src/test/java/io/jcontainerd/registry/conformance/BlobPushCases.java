package io.jcontainerd.registry.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.Seen;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Blobs to a registry. */
final class BlobPushCases {
  private static final String MONOLITHIC = "DS pushing a blob monolithically";
  private static final String CHUNKED = "DS pushing a blob in chunks";
  private static final String MOUNT = "DS mounting a blob";
  private static final String SESSION = "DS pushing blobs, session";
  private static final String BEGUN = "docs/registries.md, pushing";
  private static final byte[] BIG = Scene.random(4 << 20, 3);

  private BlobPushCases() {}

  /** The n-th request of a method is answered otherwise. */
  private static Script but(Scene scene, String method, int number, Reply reply) {
    AtomicInteger count = new AtomicInteger();
    return seen ->
        seen.is(method) && count.incrementAndGet() == number ? reply : scene.usual.reply(seen);
  }

  private static Script butAlways(Scene scene, String method, Reply reply) {
    return seen -> seen.is(method) ? reply : scene.usual.reply(seen);
  }

  /** The n-th request of a method is cut in its middle; the registry keeps what came. */
  private static Script cutting(
      Scene scene, String method, int number, long after, Reply reply, boolean keep) {
    AtomicInteger heads = new AtomicInteger();
    AtomicInteger count = new AtomicInteger();
    return new Script() {
      @Override
      public long appetite(Seen head) {
        return head.is(method) && heads.incrementAndGet() == number ? after : Long.MAX_VALUE;
      }

      @Override
      public Reply reply(Seen seen) {
        if (!seen.is(method) || count.incrementAndGet() != number) {
          return scene.usual.reply(seen);
        }
        if (keep) {
          scene.usual.keep(seen);
        }
        return reply;
      }
    };
  }

  private static Case pushing(String name, String spec, String expected, ScriptMaker script) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(script.of(scene));
          return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
        });
  }

  private static Case pushing(
      String name, String spec, String expected, ScriptMaker script, String... said) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.registry(script.of(scene));
          return scene.saying(scene.push(Scene.BLOB), said);
        });
  }

  /** In pieces of a quarter of the blob. */
  private static Case inPieces(String name, String spec, String expected, ScriptMaker script) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.options(o -> o.withPiece(25_000));
          scene.registry(script.of(scene));
          return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
        });
  }

  @FunctionalInterface
  private interface ScriptMaker {
    Script of(Scene scene);
  }

  /** What was sent must have come, and nothing may be left begun. */
  private static String complete(Scene scene, String outcome, byte[] bytes) {
    Optional<byte[]> stored = scene.usual.blob("y", Digest.sha256(bytes));
    boolean right = stored.filter(there -> Arrays.equals(there, bytes)).isPresent();
    return outcome
        + (outcome.equals("sent") && !right ? ", but not there" : "")
        + (scene.usual.openUploads() > 0 ? ", left open" : "");
  }

  private static Descriptor mountable(String registry, String repositories) {
    return new Descriptor(
        Scene.LAYER.mediaType(),
        Scene.LAYER.digest(),
        Scene.LAYER.size(),
        Map.of("containerd.io/distribution.source." + registry, repositories));
  }

  private static Case mounting(String name, String spec, String expected, ScriptMaker script) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          String address = scene.registry(script.of(scene)).address();
          return complete(scene, scene.push(mountable(address, "y,x"), Scene.BLOB), Scene.BLOB);
        });
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>(whole());
    cases.addAll(pieces());
    cases.addAll(broken());
    cases.addAll(sessions());
    cases.addAll(mounts());
    return cases;
  }

  private static Reply begun(String location) {
    return Reply.of(202).header("Location", location);
  }

  private static Case at(String name, String spec, String location, String put) {
    return new Case(
        name,
        spec,
        "HEAD 404, POST 202, PUT 201 => sent",
        scene -> {
          scene.registry(
              seen -> {
                if (seen.is("POST")) {
                  return begun(location.replace("REGISTRY", scene.address("")));
                }
                return seen.is("PUT") ? Reply.of(201) : scene.usual.reply(seen);
              });
          String outcome = scene.push(Scene.BLOB);
          assertThat(scene.seen("").getLast())
              .hasToString("PUT " + put + "digest=" + Scene.LAYER.digest());
          return outcome;
        });
  }

  private static List<Case> whole() {
    return List.of(
        new Case(
            "a blob, whole",
            MONOLITHIC,
            "HEAD 404, POST 202, PUT 201 => sent",
            scene -> {
              scene.registry(scene.usual);
              String outcome = complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
              Seen put = scene.seen("").getLast();
              assertThat(put.header("Content-Length")).hasValue("100000");
              assertThat(put.header("Content-Type")).hasValue("application/octet-stream");
              assertThat(put.body()).isEqualTo(Scene.BLOB);
              return outcome;
            }),
        new Case(
            "a blob that is there",
            "DS checking for content",
            "HEAD 200 => nothing sent",
            scene -> {
              scene.usual.blob("y", Scene.BLOB);
              scene.registry(scene.usual);
              return scene.push(Scene.BLOB);
            }),
        pushing(
            "a blob that is there with another length is sent",
            "DS checking for content",
            "HEAD 200, POST 202, PUT 201 => sent",
            scene -> butAlways(scene, "HEAD", Reply.of(200).length(5))),
        new Case(
            "a blob without bytes",
            MONOLITHIC,
            "HEAD 404, POST 202, PUT 201 => sent",
            scene -> {
              scene.registry(scene.usual);
              return complete(scene, scene.push(new byte[0]), new byte[0]);
            }),
        at("an upload at a path", SESSION, "/up/1", "/up/1?"),
        at("an upload at a relative path", "RFC 9110 10.2.2", "1", "/v2/y/blobs/uploads/1?"),
        at("an upload at an address", SESSION, "http://REGISTRY/up/1", "/up/1?"),
        at("an upload at a path with a query", SESSION, "/up/1?state=a%2Bb", "/up/1?state=a%2Bb&"),
        new Case(
            "an upload on another host gets no password",
            "RFC 9110 17.13",
            "HEAD 401, HEAD 404, POST 202, storage:PUT 201 => sent",
            scene -> {
              scene.password();
              scene.server("storage", Scene.always(Reply.of(201)));
              scene.registry(
                  seen -> {
                    if (seen.header("Authorization").isEmpty()) {
                      return Reply.of(401).header("WWW-Authenticate", "Basic realm=r");
                    }
                    return seen.is("POST")
                        ? begun("http://" + scene.address("storage") + "/up")
                        : scene.usual.reply(seen);
                  });
              String outcome = scene.push(Scene.BLOB);
              assertThat(scene.seen("storage").getFirst().header("Authorization")).isEmpty();
              return outcome;
            }),
        pushing(
            "an upload that begins nowhere",
            SESSION,
            "HEAD 404, POST 202 => Unknown",
            scene -> butAlways(scene, "POST", Reply.of(202)),
            "answered 202 to POST"),
        pushing(
            "an upload off the web",
            SESSION,
            "HEAD 404, POST 202 => Unavailable",
            scene -> butAlways(scene, "POST", begun("ftp://up.example/1")),
            "names a place of the upload that is not used: \"ftp://up.example/1\""),
        pushing(
            "an upload that may not begin",
            "DS error codes",
            "HEAD 404, POST 403 => PermissionDenied",
            scene ->
                butAlways(scene, "POST", UsualAnswers.error(403, "DENIED", "read-only registry")),
            "answered 403 to POST /v2/y/blobs/uploads/ (anonymous): DENIED, read-only registry"),
        pushing(
            "bytes that the registry finds wrong",
            "DS error codes, DIGEST_INVALID",
            "HEAD 404, POST 202, PUT 400, DELETE 204 => InvalidArgument",
            scene ->
                butAlways(scene, "PUT", UsualAnswers.error(400, "DIGEST_INVALID", "not the same")),
            "DIGEST_INVALID, not the same"),
        pushing(
            "a blob that is stored as another",
            "DS pushing blobs, Docker-Content-Digest",
            "HEAD 404, POST 202, PUT 201, DELETE 204 => DataLoss",
            scene ->
                butAlways(
                    scene,
                    "PUT",
                    Reply.of(201).header("Docker-Content-Digest", "sha256:" + "b".repeat(64))),
            "stored sha256:bbb"),
        pushing(
            "a registry that is busy in the middle",
            "RFC 6585 4",
            "HEAD 404, POST 202, PUT 429, PUT 201 => sent",
            scene -> but(scene, "PUT", 1, Reply.of(429).header("Retry-After", "3"))),
        new Case(
            "a source that cannot be opened",
            "core.registry.Registry",
            "HEAD 404, POST 202, DELETE 204 => Unavailable",
            scene -> {
              scene.registry(scene.usual);
              return scene.saying(
                  scene.push(
                      Scene.LAYER,
                      () -> {
                        throw new IOException("disk on fire");
                      }),
                  "what is to be sent cannot be read: disk on fire");
            }),
        new Case(
            "a source that ends early",
            "core.registry.Registry",
            "HEAD 404, POST 202, DELETE 204 => Unavailable",
            scene -> {
              scene.registry(scene.usual);
              return scene.saying(
                  scene.push(Scene.LAYER, new byte[10]), "it ends before its 100000 bytes");
            }),
        new Case(
            "a source that goes on",
            "core.registry.Registry",
            "HEAD 404, POST 202, DELETE 204 => Unavailable",
            scene -> {
              scene.registry(scene.usual);
              return scene.saying(
                  scene.push(Scene.LAYER, Scene.random(100_001, 1)),
                  "it has more than its 100000 bytes");
            }));
  }

  private static List<Case> pieces() {
    return List.of(
        new Case(
            "a blob in pieces",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202 x4, PUT 201 => sent",
            scene -> {
              scene.options(o -> o.withPiece(25_000));
              scene.registry(scene.usual);
              String outcome = complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
              List<Seen> pieces = scene.seen("").stream().filter(seen -> seen.is("PATCH")).toList();
              assertThat(pieces)
                  .extracting(seen -> seen.header("Content-Range").orElse(""))
                  .containsExactly("0-24999", "25000-49999", "50000-74999", "75000-99999");
              assertThat(pieces)
                  .extracting(Seen::query)
                  .as("each where the one before said")
                  .containsExactly("at=0", "at=25000", "at=50000", "at=75000");
              assertThat(pieces.getFirst().header("Content-Length")).hasValue("25000");
              return outcome;
            }),
        new Case(
            "a blob no longer than a piece is sent whole",
            CHUNKED,
            "HEAD 404, POST 202, PUT 201 => sent",
            scene -> {
              scene.options(o -> o.withPiece(100_000));
              scene.registry(scene.usual);
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        inPieces(
            "pieces no smaller than the registry wants",
            "DS chunks, OCI-Chunk-Min-Length",
            "HEAD 404, POST 202, PATCH 202 x2, PUT 201 => sent",
            scene ->
                seen ->
                    seen.is("POST")
                        ? scene.usual.reply(seen).header("OCI-Chunk-Min-Length", "60000")
                        : scene.usual.reply(seen)),
        inPieces(
            "a least size without sense",
            "DS chunks, OCI-Chunk-Min-Length",
            "HEAD 404, POST 202, PATCH 202 x4, PUT 201 => sent",
            scene ->
                seen ->
                    seen.is("POST")
                        ? scene.usual.reply(seen).header("OCI-Chunk-Min-Length", "lots")
                        : scene.usual.reply(seen)),
        inPieces(
            "a piece in the wrong place",
            "DS chunks, 416",
            "HEAD 404, POST 202, PATCH 202, PATCH 416, GET 204, PATCH 202 x3, PUT 201 => sent",
            scene -> but(scene, "PATCH", 2, Reply.of(416))),
        inPieces(
            "a piece of which a part was taken",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202 x5, PUT 201 => sent",
            scene -> {
              AtomicInteger pieces = new AtomicInteger();
              return seen ->
                  scene.usual.reply(
                      seen.is("PATCH") && pieces.incrementAndGet() == 1
                          ? new Seen(
                              "PATCH",
                              seen.target(),
                              seen.headers(),
                              Arrays.copyOf(seen.body(), 9_000))
                          : seen);
            }),
        inPieces(
            "a registry that takes nothing",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202 x5, DELETE 204 => Unavailable",
            scene -> butAlways(scene, "PATCH", Reply.of(202).header("Range", "0-0"))),
        inPieces(
            "a registry that takes a piece and loses it, again and again",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202 x10, DELETE 204 => Unavailable",
            scene -> {
              AtomicInteger pieces = new AtomicInteger();
              return seen -> {
                if (!seen.is("PATCH")) {
                  return scene.usual.reply(seen);
                }
                int number = pieces.incrementAndGet();
                return number > 40
                    ? Reply.of(400)
                    : Reply.of(202).header("Range", number % 2 == 1 ? "0-24999" : "0-0");
              };
            }),
        inPieces(
            "a registry that claims more than it got",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202, DELETE 204 => Unavailable",
            scene -> butAlways(scene, "PATCH", Reply.of(202).header("Range", "0-90000"))),
        inPieces(
            "a registry that does not say how far it came is believed",
            CHUNKED,
            "HEAD 404, POST 202, PATCH 202 x4, PUT 201 => sent",
            scene ->
                seen -> {
                  Reply reply = scene.usual.reply(seen);
                  return seen.is("PATCH") ? Reply.of(202).header("Location", seen.path()) : reply;
                }));
  }

  private static List<Case> broken() {
    return List.of(
        pushing(
            "a line that breaks in the middle of a blob goes on there",
            "DS pushing blobs, upload status",
            "HEAD 404, POST 202, PUT hang-up, GET 204, PATCH 202, PUT 201 => sent",
            scene ->
                cutting(scene, "PUT", 1, 40_000, Reply.of(0).manner(Reply.Manner.RESET, 0), true)),
        pushing(
            "a line that breaks and leaves nothing",
            "DS pushing blobs, upload status",
            "HEAD 404, POST 202, PUT hang-up, GET 204, PUT 201 => sent",
            scene ->
                cutting(scene, "PUT", 1, 40_000, Reply.of(0).manner(Reply.Manner.RESET, 0), false)),
        inPieces(
            "a line that breaks in the middle of a piece",
            "DS chunks, upload status",
            "HEAD 404, POST 202, PATCH 202, PATCH hang-up, GET 204, PATCH 202 x3, PUT 201 => sent",
            scene ->
                cutting(
                    scene, "PATCH", 2, 10_000, Reply.of(0).manner(Reply.Manner.RESET, 0), true)),
        pushing(
            "an upload that the registry fails at is asked after",
            "DS pushing blobs, upload status",
            "HEAD 404, POST 202, PUT 500, GET 204, PUT 201 => sent",
            scene -> but(scene, "PUT", 1, Reply.of(500))),
        new Case(
            "a blob of which only the answer was lost",
            "DS pushing blobs, upload status",
            "HEAD 404, POST 202, PUT hang-up, GET 404, DELETE 404, HEAD 200 => sent",
            scene -> {
              AtomicInteger puts = new AtomicInteger();
              scene.registry(
                  seen -> {
                    Reply reply = scene.usual.reply(seen);
                    return seen.is("PUT") && puts.incrementAndGet() == 1 ? Reply.hangUp() : reply;
                  });
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        pushing(
            "a registry that always fails",
            "RFC 9110 15.6",
            "HEAD 404, POST 202, PUT 500, GET 204, PUT 500, GET 204, PUT 500, GET 204, PUT 500,"
                + " GET 204, PUT 500, DELETE 204 => Unavailable",
            scene -> butAlways(scene, "PUT", Reply.of(500)),
            "answered 500 to PUT"),
        new Case(
            "a registry that takes no bytes any more",
            "docs/registries.md, stalls",
            "HEAD 404, POST 202, PUT silence, GET 204, PUT silence, DELETE 204 => Unavailable",
            scene -> {
              scene.options(
                  o -> o.withAttempts(2).withTimeouts(Duration.ofSeconds(20), Scene.SILENCE));
              scene.registry(
                  new Script() {
                    @Override
                    public long appetite(Seen head) {
                      return head.is("PUT") ? 1_000 : Long.MAX_VALUE;
                    }

                    @Override
                    public Reply reply(Seen seen) {
                      return seen.is("PUT") ? Reply.silence() : scene.usual.reply(seen);
                    }
                  });
              byte[] much = Scene.random(32 << 20, 4);
              return scene.saying(scene.push(much), "no bytes were taken for 2000 ms");
            }),
        new Case(
            "a registry that took all and says nothing",
            "docs/registries.md, stalls",
            "HEAD 404, POST 202, PUT silence, GET 204, PUT 201 => sent",
            scene -> {
              scene.options(o -> o.withTimeouts(Scene.SILENCE, Duration.ofSeconds(20)));
              scene.registry(but(scene, "PUT", 1, Reply.silence()));
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        new Case(
            "a registry that takes its time with what it got is waited for",
            "docs/registries.md, stalls",
            "HEAD 404, POST 202, PUT 201 => sent",
            scene -> {
              scene.options(
                  o ->
                      o.withTimeouts(Scene.SILENCE, Scene.SILENCE)
                          .withLeastOfPushes(Duration.ofSeconds(20)));
              scene.registry(
                  seen -> {
                    if (seen.is("PUT")) {
                      LockSupport.parkNanos(Scene.SILENCE.plusSeconds(1).toNanos());
                    }
                    return scene.usual.reply(seen);
                  });
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        new Case(
            "a registry that does not take so much at once gets pieces",
            "RFC 9110 15.5.14",
            "HEAD 404, POST 202, PUT 413, GET 204, PATCH 202 x2, PUT 201 => sent",
            scene -> {
              scene.registry(but(scene, "PUT", 1, Reply.of(413)));
              return complete(scene, scene.push(BIG), BIG);
            }),
        new Case(
            "a registry that takes only small pieces",
            "RFC 9110 15.5.14",
            "HEAD 404, POST 202, PUT 413, GET 204, PATCH 413, GET 204, PATCH 202 x4, PUT 201 => sent",
            scene -> {
              scene.registry(
                  seen -> seen.body().length > 1 << 20 ? Reply.of(413) : scene.usual.reply(seen));
              return complete(scene, scene.push(BIG), BIG);
            }),
        new Case(
            "a registry that hangs up when it is too much",
            "RFC 9110 15.5.14",
            "HEAD 404, POST 202, PUT hang-up, GET 204, PUT hang-up, GET 204, PATCH hang-up, GET 204,"
                + " PATCH 202 x4, PUT 201 => sent",
            scene -> {
              scene.registry(
                  new Script() {
                    @Override
                    public long appetite(Seen head) {
                      return isTooMuch(head) ? 1_000 : Long.MAX_VALUE;
                    }

                    @Override
                    public Reply reply(Seen seen) {
                      return isTooMuch(seen) ? Reply.hangUp() : scene.usual.reply(seen);
                    }

                    private boolean isTooMuch(Seen seen) {
                      String length = seen.header("Content-Length").orElse("0");
                      return Long.parseLong(length) > 1 << 20;
                    }
                  });
              return complete(scene, scene.push(BIG), BIG);
            }),
        new Case(
            "a registry that takes nothing of any size",
            "RFC 9110 15.5.14",
            "HEAD 404, POST 202, PUT 413, GET 204, PATCH 413, GET 204, PATCH 413, GET 204, PATCH 413,"
                + " GET 204, PATCH 413, DELETE 204 => InvalidArgument",
            scene -> {
              scene.registry(
                  seen -> seen.body().length > 0 ? Reply.of(413) : scene.usual.reply(seen));
              return scene.saying(scene.push(BIG), "answered 413 to PATCH");
            }));
  }

  private static List<Case> sessions() {
    return List.of(
        pushing(
            "an upload that is not begun is begun once more",
            BEGUN,
            "HEAD 404, POST 503, POST 202, PUT 201 => sent",
            scene -> but(scene, "POST", 1, Reply.of(503))),
        pushing(
            "an upload that cannot be begun leaves no more than two",
            BEGUN,
            "HEAD 404, POST 504 x2 => Unavailable",
            scene -> butAlways(scene, "POST", Reply.of(504)),
            "answered 504 to POST"),
        new Case(
            "an upload of whose beginning nothing is heard is begun once more",
            BEGUN,
            "HEAD 404, POST silence x2 => Unavailable",
            scene -> {
              scene.options(o -> o.withTimeouts(Scene.SILENCE, Duration.ofSeconds(20)));
              scene.registry(butAlways(scene, "POST", Reply.silence()));
              return scene.saying(scene.push(Scene.BLOB), "gave no answer to POST", "2 times");
            }),
        pushing(
            "a registry too busy to begin an upload is asked as often as usual",
            BEGUN,
            "HEAD 404, POST 429 x5 => ResourceExhausted",
            scene -> butAlways(scene, "POST", Reply.of(429)),
            "5 times"),
        new Case(
            "an upload that the registry forgot is begun again",
            "DS error codes, BLOB_UPLOAD_UNKNOWN",
            "HEAD 404, POST 202, PUT 404, DELETE 404, HEAD 404, POST 202, PUT 201 => sent",
            scene -> {
              AtomicInteger puts = new AtomicInteger();
              scene.registry(
                  seen -> {
                    if (seen.is("PUT") && puts.incrementAndGet() == 1) {
                      scene.usual.forgetUploads();
                    }
                    return scene.usual.reply(seen);
                  });
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        new Case(
            "an upload that the registry forgot between pieces",
            "DS error codes, BLOB_UPLOAD_UNKNOWN",
            "HEAD 404, POST 202, PATCH 202, PATCH 404, DELETE 404, HEAD 404, POST 202, PATCH 202 x4,"
                + " PUT 201 => sent",
            scene -> {
              scene.options(o -> o.withPiece(25_000));
              AtomicInteger pieces = new AtomicInteger();
              scene.registry(
                  seen -> {
                    if (seen.is("PATCH") && pieces.incrementAndGet() == 2) {
                      scene.usual.forgetUploads();
                    }
                    return scene.usual.reply(seen);
                  });
              return complete(scene, scene.push(Scene.BLOB), Scene.BLOB);
            }),
        new Case(
            "a registry that forgets every upload",
            "DS error codes, BLOB_UPLOAD_UNKNOWN",
            "HEAD 404, POST 202, PUT 404, DELETE 204, HEAD 404, POST 202, PUT 404, DELETE 204, HEAD 404,"
                + " POST 202, PUT 404, DELETE 204, HEAD 404 => Unavailable",
            scene -> {
              scene.registry(butAlways(scene, "PUT", Reply.of(404)));
              return complete(
                  scene, scene.saying(scene.push(Scene.BLOB), "lost an upload"), Scene.BLOB);
            }),
        new Case(
            "what cannot be cancelled is let be",
            "DS cancelling an upload",
            "HEAD 404, POST 202, PUT 400, DELETE 405 => InvalidArgument",
            scene -> {
              scene.registry(
                  seen ->
                      switch (seen.method()) {
                        case "PUT" -> Reply.of(400);
                        case "DELETE" -> Reply.of(405);
                        default -> scene.usual.reply(seen);
                      });
              return scene.saying(scene.push(Scene.BLOB), "answered 400 to PUT");
            }));
  }

  private static List<Case> mounts() {
    return List.of(
        new Case(
            "a blob of another repository is taken from there",
            MOUNT,
            "HEAD 404, POST 201 => nothing sent",
            scene -> {
              String address = scene.registry(scene.usual).address();
              String outcome = scene.push(mountable(address, "y,x"), new byte[0]);
              assertThat(scene.seen("").getLast())
                  .hasToString(
                      "POST /v2/y/blobs/uploads/?mount=" + Scene.LAYER.digest() + "&from=x");
              return complete(scene, outcome, Scene.BLOB);
            }),
        mounting(
            "a blob that the other repository does not have",
            "DS mounting a blob, 202",
            "HEAD 404, POST 202, PUT 201 => sent",
            scene ->
                seen ->
                    scene.usual.reply(
                        seen.is("POST")
                            ? new Seen("POST", seen.path(), seen.headers(), seen.body())
                            : seen)),
        mounting(
            "a mount that is forbidden",
            MOUNT,
            "HEAD 404, POST 403, POST 202, PUT 201 => sent",
            scene -> but(scene, "POST", 1, Reply.of(403))),
        mounting(
            "a mount that is not spoken",
            MOUNT,
            "HEAD 404, POST 405, POST 202, PUT 201 => sent",
            scene -> but(scene, "POST", 1, Reply.of(405))),
        mounting(
            "a mount that is not understood",
            MOUNT,
            "HEAD 404, POST 400, POST 202, PUT 201 => sent",
            scene -> but(scene, "POST", 1, Reply.of(400))),
        new Case(
            "a mount for which no token is given",
            "DS mounting, TA scope",
            "HEAD 401, token:GET 200, HEAD 404, POST 401, token:GET 403, POST 202, PUT 201 => sent",
            scene -> {
              scene.server(
                  "token",
                  seen ->
                      seen.query().contains("repository%3Ax")
                          ? Reply.of(403)
                          : Reply.of(200).body("{\"token\":\"t\"}"));
              String address =
                  scene
                      .registry(
                          seen ->
                              seen.header("Authorization").isEmpty()
                                      || seen.query().contains("mount=")
                                  ? Reply.of(401)
                                      .header(
                                          "WWW-Authenticate",
                                          "Bearer realm=\"http://" + scene.address("token") + "/\"")
                                  : scene.usual.reply(seen))
                      .address();
              return complete(scene, scene.push(mountable(address, "x"), Scene.BLOB), Scene.BLOB);
            }));
  }
}
