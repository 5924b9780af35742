package io.jcontainerd.registry.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.registry.Credentials;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A mirror before the registry. */
final class MirrorCases {
  private static final String ORDER = "HT mirrors in order";

  private MirrorCases() {}

  private static void mirrored(Scene scene, Script mirror, Script origin) throws IOException {
    scene.server("mirror", mirror);
    scene.server("", origin);
    scene.hosts(
        "server = \"http://%s\"\n[host.\"http://%s\"]\n"
            .formatted(scene.address(""), scene.address("mirror")));
  }

  private static Case resolving(String name, String expected, Reply mirror) {
    return new Case(
        name,
        ORDER,
        expected,
        scene -> {
          mirrored(scene, Scene.always(mirror), scene.usual);
          return scene.resolve();
        });
  }

  private static Case fetching(String name, String expected, Reply mirror) {
    return new Case(
        name,
        ORDER,
        expected,
        scene -> {
          if (mirror.manner() == Reply.Manner.STALL) {
            scene.options(o -> o.withTimeouts(Scene.SILENCE, Scene.SILENCE));
          }
          mirrored(scene, Scene.always(mirror), scene.usual);
          return scene.fetch();
        });
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>(failing());
    cases.addAll(working());
    return cases;
  }

  private static List<Case> failing() {
    Reply blob = Reply.of(200).body(Scene.BLOB);
    byte[] other = Scene.MANIFEST.clone();
    other[0] = ' ';
    return List.of(
        resolving(
            "a mirror that does not know",
            "mirror:HEAD 404, mirror:GET 404, HEAD 200 => resolved",
            Reply.of(404)),
        resolving(
            "a mirror that fails",
            "mirror:HEAD 500, mirror:GET 500, HEAD 200 => resolved",
            Reply.of(500)),
        resolving(
            "a mirror that is overloaded is not waited for",
            "mirror:HEAD 429, HEAD 200 => resolved",
            Reply.of(429).header("Retry-After", "5")),
        resolving(
            "a mirror that wants credentials",
            "mirror:HEAD 401, mirror:GET 401, HEAD 200 => resolved",
            Reply.of(401).header("WWW-Authenticate", "Basic realm=m")),
        resolving(
            "a mirror that forbids",
            "mirror:HEAD 403, mirror:GET 403, HEAD 200 => resolved",
            Reply.of(403)),
        resolving(
            "a mirror with a page that asks to log in",
            "mirror:HEAD 200, mirror:GET 200, HEAD 200 => resolved",
            Reply.of(200).header("Content-Type", "text/html").body("<p>")),
        fetching(
            "a mirror that falls silent before the answer",
            "mirror:GET silence, GET 200 => the blob",
            Reply.silence()),
        fetching(
            "a mirror that falls silent in the middle",
            "mirror:GET 200!, GET 206 => the blob",
            blob.stallingAfter(30_000)),
        fetching(
            "a mirror that is cut in the middle",
            "mirror:GET 200!, GET 206 => the blob",
            blob.resettingAfter(30_000)),
        fetching(
            "a mirror with a blob of another length",
            "mirror:GET 200, GET 200 => the blob",
            Reply.of(200).body("short")),
        fetching(
            "a mirror with a blob of another name",
            "mirror:GET 200, GET 200 => the blob",
            blob.header("Docker-Content-Digest", "sha256:" + "b".repeat(64))),
        fetching(
            "a mirror that hangs up", "mirror:GET hang-up, GET 200 => the blob", Reply.hangUp()),
        new Case(
            "a mirror with a wrong manifest",
            "DS pulling manifests, digest must match",
            "mirror:GET 200, GET 200 => the manifest",
            scene -> {
              mirrored(scene, Scene.always(Reply.of(200).body(other)), scene.usual);
              return scene.fetch(Scene.IMAGE, 0);
            }),
        new Case(
            "a mirror that is not there",
            ORDER,
            "HEAD 200 => resolved",
            scene -> {
              scene.server("", scene.usual);
              try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                scene.hosts(
                    "server = \"http://%s\"\n[host.\"http://127.0.0.1:%d\"]\n"
                        .formatted(scene.address(""), gone.getLocalPort()));
              }
              return scene.resolve();
            }),
        new Case(
            "all fail, and each is told with its reason and as whom we came",
            "docs/registries.md, failures",
            "mirror:HEAD 401 x2, mirror:GET 401 x2, HEAD 404, GET 404 => NotFound: image"
                + " r.example/x:1: none of 2 hosts served resolve: registry MIRROR answered 401 to GET"
                + " /v2/x/manifests/1 (as \"me\" of a file): UNAUTHORIZED, who are you; registry"
                + " REGISTRY answered 404 to GET /v2/x/manifests/1 (anonymous)",
            scene -> {
              mirrored(
                  scene,
                  Scene.always(
                      UsualAnswers.error(401, "UNAUTHORIZED", "who are you")
                          .header("WWW-Authenticate", "Basic realm=m")),
                  Scene.always(Reply.of(404)));
              String mirror = scene.address("mirror");
              scene.options(
                  o ->
                      o.withCredentials(
                          (String host) ->
                              host.equals(mirror)
                                  ? Optional.of(new Credentials("me", Scene.SECRET, "a file"))
                                  : Optional.empty()));
              return scene.resolve() + ": " + scene.message();
            }));
  }

  private static List<Case> working() {
    return List.of(
        new Case(
            "a mirror that serves spares the registry",
            ORDER,
            "mirror:HEAD 200, mirror:GET 200 => resolved, the blob",
            scene -> {
              mirrored(scene, scene.usual, scene.usual);
              return scene.resolve() + ", " + scene.fetch();
            }),
        new Case(
            "a mirror is told in whose place it is asked",
            "HT ?ns=",
            "mirror:HEAD 200 => resolved",
            scene -> {
              mirrored(scene, scene.usual, scene.usual);
              String outcome = scene.resolve();
              assertThat(scene.seen("mirror").getFirst().query()).isEqualTo("ns=r.example");
              return outcome;
            }),
        new Case(
            "a push goes to who may take it and to no other",
            "HT capabilities",
            "HEAD 404, POST 500 x2 => Unavailable",
            scene -> {
              scene.server("mirror", scene.usual);
              scene.server("", seen -> seen.is("POST") ? Reply.of(500) : scene.usual.reply(seen));
              scene.hosts(
                  "server = \"http://%s\"\n[host.\"http://%s\"]\ncapabilities = [\"pull\"]\n"
                      .formatted(scene.address(""), scene.address("mirror")));
              return scene.push(Scene.BLOB);
            }),
        new Case(
            "referrers are asked of who has them",
            "HT capabilities",
            "GET 404 x2 => []",
            scene -> {
              scene.server("mirror", scene.usual);
              scene.server("", scene.usual);
              scene.hosts(
                  "server = \"http://%s\"\n[host.\"http://%s\"]\ncapabilities = [\"pull\", \"resolve\"]\n"
                      .formatted(scene.address(""), scene.address("mirror")));
              return scene.outcome(
                  () ->
                      scene.client().referrers(scene.image(), Scene.IMAGE.digest(), "").toString());
            }),
        new Case(
            "a mirror that did not answer is asked last for half a minute",
            "docs/registries.md",
            "mirror:GET hang-up, GET 200 x2, mirror:GET hang-up, GET 200 => the blob x3",
            scene -> {
              mirrored(scene, Scene.always(Reply.hangUp()), scene.usual);
              scene.fetch();
              scene.fetch();
              scene.time.sleep(Duration.ofSeconds(31));
              return scene.fetch() + " x3";
            }));
  }
}
