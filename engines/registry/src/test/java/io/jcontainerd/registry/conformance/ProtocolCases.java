package io.jcontainerd.registry.conformance;

import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** HTTP/2 and HTTP/1.1, with TLS; the trace tells h2 and h1. */
final class ProtocolCases {
  private static final String SPEC = "RFC 9113 3.2";

  private ProtocolCases() {}

  private static void serve(Scene scene, Script script) throws Exception {
    Http2Server server = scene.closing(new Http2Server(script, Authority.server(), scene::saw));
    scene.named(server.address(), "REGISTRY");
    scene.registry(server.address());
  }

  static List<Case> all() {
    return List.of(
        new Case(
            "HTTP/2 where TLS offers it",
            SPEC,
            "h2:HEAD 200 => resolved",
            scene -> {
              serve(scene, scene.usual);
              return scene.resolve();
            }),
        new Case(
            "HTTP/1.1 where TLS offers nothing else",
            SPEC,
            "HEAD 200 => resolved",
            scene -> {
              scene.registry(scene.usual, Authority.server());
              return scene.resolve();
            }),
        new Case(
            "much goes by HTTP/1.1, on a connection of its own",
            "docs/decisions/014",
            "h2:HEAD 200, h1:GET 200 => resolved, the blob",
            scene -> {
              serve(scene, scene.usual);
              return scene.resolve() + ", " + scene.fetch();
            }),
        new Case(
            "a push by both",
            "docs/decisions/014",
            "h2:HEAD 404, h2:POST 202, h1:PUT 201 => sent",
            scene -> {
              serve(scene, scene.usual);
              return scene.push(Scene.BLOB);
            }),
        new Case(
            "an error by HTTP/2",
            "RFC 9113 8.1",
            "h2:HEAD 404, h2:GET 404 => NotFound",
            scene -> {
              serve(
                  scene,
                  Scene.always(UsualAnswers.error(404, "MANIFEST_UNKNOWN", "manifest unknown")));
              return scene.saying(
                  scene.resolve(),
                  "registry REGISTRY answered 404 to GET /v2/x/manifests/1 (anonymous):"
                      + " MANIFEST_UNKNOWN, manifest unknown");
            }),
        new Case(
            "a connection of HTTP/2 that fell silent is left",
            "docs/decisions/014",
            "h2:HEAD silence, h1:HEAD 200 => resolved",
            scene -> {
              scene.options(o -> o.withTimeouts(Duration.ofSeconds(5), Duration.ofSeconds(20)));
              AtomicInteger calls = new AtomicInteger();
              serve(
                  scene,
                  seen -> calls.incrementAndGet() == 1 ? Reply.silence() : scene.usual.reply(seen));
              return scene.resolve();
            }));
  }
}
