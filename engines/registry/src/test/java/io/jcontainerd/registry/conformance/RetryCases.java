package io.jcontainerd.registry.conformance;

import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What may pass, and how long it is waited for. The clock of the scene shows the new year of 2026.
 */
final class RetryCases {
  private static final String RETRY_AFTER = "RFC 9110 10.2.3";
  private static final String BUSY = "RFC 6585 4";

  private RetryCases() {}

  private static Case waiting(String name, String spec, String after, String waits) {
    return new Case(
        name,
        spec,
        "HEAD 429, HEAD 200 => resolved after " + waits,
        scene -> {
          scene.registry(scene.first(Reply.of(429).header("Retry-After", after)));
          return scene.resolve() + " after " + scene.time.sleeps;
        });
  }

  private static Case passing(int status) {
    return new Case(
        "a " + status + " may pass",
        "RFC 9110 15.6",
        "HEAD " + status + ", HEAD 200 => resolved after [PT0.2S]",
        scene -> {
          scene.registry(scene.first(Reply.of(status)));
          return scene.resolve() + " after " + scene.time.sleeps;
        });
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (int status : new int[] {408, 500, 502, 503, 504}) {
      cases.add(passing(status));
    }
    cases.addAll(waits());
    cases.addAll(lines());
    return cases;
  }

  private static List<Case> waits() {
    return List.of(
        waiting("asked to wait for seconds", RETRY_AFTER, "7", "[PT7S]"),
        waiting("asked to wait for no time", RETRY_AFTER, "0", "[PT0S]"),
        waiting(
            "asked to wait until a moment",
            "RFC 9110 5.6.7",
            "Thu, 01 Jan 2026 00:00:09 GMT",
            "[PT9S]"),
        waiting(
            "asked to wait until a moment, in the words of RFC 850",
            "RFC 9110 5.6.7",
            "Thursday, 01-Jan-26 00:00:11 GMT",
            "[PT11S]"),
        waiting(
            "asked to wait until a moment, in the words of asctime",
            "RFC 9110 5.6.7",
            "Thu Jan  1 00:00:13 2026",
            "[PT13S]"),
        waiting(
            "asked to wait until a moment that is over",
            RETRY_AFTER,
            "Wed, 31 Dec 2025 00:00:00 GMT",
            "[PT0S]"),
        waiting("asked to wait in words without sense", RETRY_AFTER, "soon", "[PT0.2S]"),
        waiting("asked to wait a negative time", RETRY_AFTER, "-5", "[PT0.2S]"),
        new Case(
            "asked to wait for an hour",
            RETRY_AFTER,
            "HEAD 429 => ResourceExhausted after []",
            scene -> {
              scene.registry(Scene.always(Reply.of(429).header("Retry-After", "3600")));
              return scene.saying(scene.resolve(), "to be asked again after 3600")
                  + " after "
                  + scene.time.sleeps;
            }),
        new Case(
            "a storm of 429",
            BUSY,
            "HEAD 429 x5 => ResourceExhausted after [PT1S, PT1S, PT1S, PT1S]",
            scene -> {
              scene.registry(
                  Scene.always(
                      UsualAnswers.error(429, "TOOMANYREQUESTS", "slow down")
                          .header("Retry-After", "1")));
              return scene.saying(
                      scene.resolve(),
                      "answered 429 to HEAD /v2/x/manifests/1 (anonymous) 5 times, to be asked again"
                          + " after 1")
                  + " after "
                  + scene.time.sleeps;
            }),
        new Case(
            "a storm of 429 for a blob, which passes",
            BUSY,
            "GET 429 x4, GET 200 => the blob after [PT0.2S, PT0.4S, PT0.8S, PT1.6S]",
            scene -> {
              Reply busy = Reply.of(429);
              scene.registry(scene.first(busy, busy, busy, busy));
              return scene.fetch() + " after " + scene.time.sleeps;
            }),
        new Case(
            "a 503 that stays",
            "RFC 9110 15.6.4",
            "HEAD 503 x5, GET 503 x5 => Unavailable",
            scene -> {
              scene.registry(Scene.always(Reply.of(503)));
              return scene.saying(
                  scene.resolve(),
                  "image REGISTRY/x:1: registry REGISTRY answered 503 to GET /v2/x/manifests/1"
                      + " (anonymous) 5 times");
            }),
        new Case(
            "a 501 does not pass",
            "RFC 9110 15.6.2",
            "GET 501 => Unavailable",
            scene -> {
              scene.registry(Scene.always(Reply.of(501)));
              return scene.fetch();
            }),
        new Case(
            "a 418 does not pass",
            "RFC 9110 15.5.19",
            "GET 418 => Unknown",
            scene -> {
              scene.registry(Scene.always(Reply.of(418)));
              return scene.fetch();
            }));
  }

  private static List<Case> lines() {
    return List.of(
        new Case(
            "a connection that is closed instead of an answer",
            "RFC 9112 9.5",
            "GET hang-up, GET 200 => the blob",
            scene -> {
              scene.registry(scene.first(Reply.hangUp()));
              return scene.fetch();
            }),
        new Case(
            "a connection that is reset instead of an answer",
            "RFC 9112 9.5",
            "GET hang-up, GET 200 => the blob",
            scene -> {
              scene.registry(scene.first(Reply.of(0).manner(Reply.Manner.RESET, 0)));
              return scene.fetch();
            }),
        new Case(
            "who is not there",
            "RFC 9293 3.10.7",
            "nothing => Unavailable after 4 waits",
            scene -> {
              try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                scene.registry("127.0.0.1:" + gone.getLocalPort());
              }
              return scene.saying(
                      scene.resolve(),
                      "gave no answer to HEAD /v2/x/manifests/1 (anonymous) 5 times: ")
                  + " after "
                  + scene.time.sleeps.size()
                  + " waits";
            }),
        new Case(
            "who falls silent, and then does not",
            "docs/registries.md, stalls",
            "HEAD silence, HEAD 200 => resolved",
            scene -> {
              scene.options(o -> o.withTimeouts(Scene.SILENCE, Duration.ofSeconds(20)));
              scene.registry(scene.first(Reply.silence()));
              return scene.resolve();
            }),
        new Case(
            "a line of nonsense in place of an answer",
            "RFC 9112 4",
            "GET 1 x2 => Unavailable",
            scene -> {
              scene.options(o -> o.withAttempts(2));
              scene.registry(Scene.always(Reply.of(1)));
              return scene.saying(scene.fetch(), "registry REGISTRY gave no answer to GET");
            }));
  }
}
