package io.jcontainerd.registry.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Answers of those who mean us harm, and what others must not be told. */
final class HostileCases {
  private static final String ERRORS = "DS error codes";
  private static final String OURS = "docs/registries.md, failures";

  private HostileCases() {}

  /** The failure is told, shortly, on one line. */
  private static Case failing(String name, String spec, Reply reply, String said) {
    return new Case(
        name,
        spec,
        "GET 400" + (reply.manner() == Reply.Manner.KEEP ? "" : "!") + " => InvalidArgument",
        scene -> {
          scene.registry(Scene.always(reply));
          String outcome = scene.saying(scene.fetch(), said);
          assertThat(scene.message()).hasSizeLessThan(700).doesNotContainPattern("\\p{Cntrl}");
          return outcome;
        });
  }

  static List<Case> all() {
    Reply bad = Reply.of(400);
    return List.of(
        failing(
            "an error of ten megabytes",
            ERRORS,
            bad.body("{\"errors\":[{\"code\":\"" + "x".repeat(10 << 20) + "\"}]}"),
            "answered 400 to GET"),
        failing(
            "an error with a long text is shortened",
            ERRORS,
            UsualAnswers.error(400, "LONG", "y".repeat(10_000)),
            "LONG, yyyy"),
        failing(
            "ten thousand errors",
            ERRORS,
            bad.body("{\"errors\":[" + "{\"code\":\"C\"},".repeat(3_000) + "{\"code\":\"C\"}]}"),
            "C; C; C"),
        failing(
            "an error that is nested without end",
            ERRORS,
            bad.body("[".repeat(60_000)),
            "answered 400 to GET"),
        failing(
            "an error with commands for terminals and lines for logs",
            "CWE-117",
            UsualAnswers.error(400, "C", "\\u001b[2J\\r\\nlevel=info msg=fine"),
            "C,  [2J  level=info msg=fine"),
        failing("an error that is a page", ERRORS, bad.body("<html>bad</html>"), "(anonymous)"),
        failing("errors that are no list", ERRORS, bad.body("{\"errors\":7}"), "(anonymous)"),
        failing("an error that is null", ERRORS, bad.body("null"), "(anonymous)"),
        failing("an error without a word", ERRORS, bad.body("{\"errors\":[{}]}"), "(anonymous)"),
        failing(
            "an error that breaks off",
            ERRORS,
            bad.body("{\"errors\":[]}").length(5_000).closingAfter(5),
            "the explanation could not be read"),
        new Case(
            "an error that never ends",
            ERRORS,
            "GET 400! => InvalidArgument",
            scene -> {
              scene.options(o -> o.withTimeouts(Duration.ofSeconds(20), Duration.ofMillis(200)));
              scene.registry(
                  Scene.always(bad.body("{\"errors\":[").length(5_000).stallingAfter(5)));
              return scene.saying(scene.fetch(), "the explanation could not be read: no bytes");
            }),
        new Case(
            "a redirect with lines for logs in its path",
            "CWE-117",
            "GET 307, GET 404 => NotFound",
            scene -> {
              scene.registry(
                  seen ->
                      seen.path().contains("%0A")
                          ? Reply.of(404)
                          : Reply.of(307).header("Location", "/a%0Alevel=info"));
              String outcome = scene.saying(scene.fetch(), "answered 404 to GET /a%0Alevel=info");
              assertThat(scene.message()).doesNotContain("\n");
              return outcome;
            }),
        new Case(
            "a place of a megabyte is not quoted",
            OURS,
            "GET 307 => Unavailable",
            scene -> {
              scene.registry(
                  Scene.always(Reply.of(307).header("Location", "ftp://" + "h".repeat(100_000))));
              String outcome = scene.fetch();
              assertThat(scene.message()).hasSizeLessThan(800);
              return outcome;
            }),
        new Case(
            "headers of a megabyte",
            "RFC 9110 5.4",
            "GET 200 x2 => Unavailable",
            scene -> {
              scene.options(o -> o.withAttempts(2));
              scene.registry(
                  Scene.always(Reply.of(200).header("X-Long", "z".repeat(1 << 20)).body("{}")));
              String outcome = scene.saying(scene.fetch(), "registry REGISTRY gave no answer");
              assertThat(scene.message()).hasSizeLessThan(700);
              return outcome;
            }),
        new Case(
            "a digest of a thousand letters is not quoted whole",
            OURS,
            "GET 200 => DataLoss",
            scene -> {
              scene.registry(
                  Scene.always(
                      Reply.of(200)
                          .header("Docker-Content-Digest", "x" + "d".repeat(1000))
                          .body(Scene.BLOB)));
              String outcome = scene.fetch();
              assertThat(scene.message()).hasSizeLessThan(700);
              return outcome;
            }),
        new Case(
            "a header with commands for terminals",
            "RFC 9110 5.5, CWE-117",
            "GET 200 x2 => Unavailable",
            scene -> {
              scene.options(o -> o.withAttempts(2));
              scene.registry(
                  Scene.always(Reply.of(200).header("X", "x\u001b[2J" + "d".repeat(1000))));
              String outcome = scene.saying(scene.fetch(), "Invalid header value");
              assertThat(scene.message()).doesNotContainPattern("\\p{Cntrl}").hasSizeLessThan(700);
              return outcome;
            }),
        new Case(
            "a header that would begin another is refused where it is set",
            "RFC 9110 5.5",
            "nothing => InvalidArgument",
            scene ->
                scene.outcome(
                    () -> {
                      scene.options(o -> o.withHeaders(Map.of("X", Scene.SECRET + "\r\nY: z")));
                      return "set";
                    })),
        new Case(
            "headers for the registry go there only",
            "core.registry.RegistryAccess",
            "HEAD 401, token:GET 200, HEAD 307, storage:HEAD 200 => resolved",
            scene -> {
              scene.options(o -> o.withHeaders(Map.of("X-Meta", Scene.SECRET, "User-Agent", "u")));
              scene.server("token", Scene.always(Reply.of(200).body("{\"token\":\"t\"}")));
              scene.server("storage", scene.usual);
              scene.registry(
                  seen ->
                      seen.header("Authorization").isEmpty()
                          ? Reply.of(401)
                              .header(
                                  "WWW-Authenticate",
                                  "Bearer realm=\"http://" + scene.address("token") + "/\"")
                          : Reply.of(307)
                              .header(
                                  "Location",
                                  "http://" + scene.address("storage") + seen.target()));
              String outcome = scene.resolve();
              assertThat(scene.seen("").getFirst().header("X-Meta")).hasValue(Scene.SECRET);
              assertThat(scene.seen("").getFirst().header("User-Agent")).hasValue("u");
              assertThat(scene.seen("token").getFirst().header("X-Meta")).isEmpty();
              assertThat(scene.seen("storage").getFirst().header("X-Meta")).isEmpty();
              return outcome;
            }));
  }
}
