package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.registry.Credentials;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers that send us elsewhere. */
final class RedirectCases {
  private static final String SPEC = "RFC 9110 15.4";
  private static final String SECURITY = "RFC 9110 17.13";

  private RedirectCases() {}

  private static Reply to(int status, String place) {
    return Reply.of(status).header("Location", place);
  }

  /** Wants a password, then answers. */
  private static Script guarded(Script script) {
    return seen ->
        seen.header("Authorization").isPresent()
            ? script.reply(seen)
            : Reply.of(401).header("WWW-Authenticate", "Basic realm=\"r\"");
  }

  private static boolean showedPassword(Seen seen) {
    return seen.header("Authorization").isPresent();
  }

  private static Case withinHost(int status) {
    return new Case(
        "redirect " + status + " within the host keeps the password",
        SPEC,
        "GET 401, GET " + status + ", GET 200 => the blob",
        scene -> {
          scene.password();
          scene.registry(
              guarded(
                  seen ->
                      seen.path().equals("/elsewhere")
                          ? Reply.of(200).body(Scene.BLOB)
                          : to(status, "/elsewhere")));
          String outcome = scene.fetch();
          assertThat(scene.seen("").getLast()).matches(RedirectCases::showedPassword);
          return outcome;
        });
  }

  private static Case refused(String name, String place, String said) {
    return new Case(
        name,
        SPEC,
        "GET 307 => Unavailable",
        scene -> {
          scene.registry(Scene.always(to(307, place)));
          return scene.saying(scene.fetch(), "redirect: " + said);
        });
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    for (int status : new int[] {301, 302, 303, 307, 308}) {
      cases.add(withinHost(status));
    }
    cases.addAll(elsewhere());
    cases.addAll(odd());
    return cases;
  }

  private static List<Case> elsewhere() {
    return List.of(
        new Case(
            "a redirect to another host leaves the password behind",
            SECURITY,
            "GET 401, GET 307, storage:GET 200 => the blob",
            scene -> {
              scene.password();
              scene.server("storage", Scene.always(Reply.of(200).body(Scene.BLOB)));
              scene.registry(
                  guarded(
                      Scene.always(
                          to(
                              307,
                              "http://" + scene.address("storage") + "/b?sign=" + Scene.SECRET))));
              String outcome = scene.fetch();
              assertThat(scene.seen("storage").getFirst())
                  .matches(seen -> !showedPassword(seen))
                  .hasToString("GET /b?sign=" + Scene.SECRET);
              return outcome;
            }),
        new Case(
            "a redirect to another host takes the range along",
            SECURITY,
            "GET 307, storage:GET 206 => 60000 bytes of it",
            scene -> {
              scene.server("storage", scene.usual);
              scene.registry(seen -> to(307, "http://" + scene.address("storage") + seen.target()));
              return scene.fetch(Scene.LAYER, 40_000);
            }),
        new Case(
            "a redirect away and back brings no password back",
            SECURITY,
            "GET 401, GET 307, storage:GET 307, GET 401 => Unauthenticated",
            scene -> {
              scene.password();
              AtomicInteger number = new AtomicInteger();
              scene.server(
                  "storage", _ -> to(307, "http://" + scene.address("") + "/v2/secret/blobs/x"));
              scene.registry(
                  seen ->
                      seen.path().contains("secret")
                          ? guarded(scene.usual).reply(seen)
                          : guarded(
                                  _ ->
                                      number.incrementAndGet() > 1
                                          ? Reply.of(500)
                                          : to(307, "http://" + scene.address("storage") + "/b"))
                              .reply(seen));
              String outcome = scene.fetch();
              assertThat(scene.seen("").getLast()).matches(seen -> !showedPassword(seen));
              return outcome;
            }),
        new Case(
            "another port is another host",
            SECURITY,
            "HEAD 401, HEAD 307, storage:HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.server("storage", scene.usual);
              scene.registry(
                  guarded(seen -> to(307, "http://" + scene.address("storage") + seen.target())));
              String outcome = scene.resolve();
              assertThat(scene.seen("storage").getFirst()).matches(seen -> !showedPassword(seen));
              return outcome;
            }),
        new Case(
            "a storage that refuses is named, its signature is not",
            SECURITY,
            "GET 307, storage:GET 403 => PermissionDenied",
            scene -> {
              scene.server("storage", Scene.always(Reply.of(403).body("<Error/>")));
              scene.registry(
                  Scene.always(
                      to(307, "http://" + scene.address("storage") + "/b?sign=" + Scene.SECRET)));
              return scene.saying(
                  scene.fetch(),
                  "registry REGISTRY, by redirect to STORAGE, answered 403 to GET /b");
            }),
        new Case(
            "a password in a redirect is neither used nor told",
            "RFC 9110 4.2.4",
            "GET 307 => Unavailable",
            scene -> {
              scene.registry(Scene.always(to(307, "http://me:" + Scene.SECRET + "@[bad/")));
              return scene.saying(scene.fetch(), "redirect: \"http://[bad/\" is no address");
            }),
        new Case(
            "headers of the configuration stay at their host",
            "HT header",
            "GET 307, storage:GET 200 => the blob",
            scene -> {
              scene.server("storage", Scene.always(Reply.of(200).body(Scene.BLOB)));
              scene.server("", Scene.always(to(307, "http://" + scene.address("storage") + "/b")));
              scene.hosts(
                  "server = \"http://%s\"\n[header]\nX-Key = \"%s\"\n"
                      .formatted(scene.address(""), Scene.SECRET));
              String outcome = scene.fetch();
              assertThat(scene.seen("").getFirst().header("X-Key")).hasValue(Scene.SECRET);
              assertThat(scene.seen("storage").getFirst().header("X-Key")).isEmpty();
              return outcome;
            }),
        new Case(
            "an upload that is sent elsewhere takes its body and no password along",
            "RFC 9110 15.4.8",
            "HEAD 401, HEAD 404, POST 202, PUT 307, storage:PUT 201 => sent",
            scene -> {
              scene.password();
              scene.server("storage", Scene.always(Reply.of(201)));
              scene.registry(
                  guarded(
                      seen ->
                          seen.is("PUT")
                              ? to(307, "http://" + scene.address("storage") + "/put")
                              : scene.usual.reply(seen)));
              String outcome = scene.push(Scene.BLOB);
              Seen put = scene.seen("storage").getFirst();
              assertThat(put.body()).isEqualTo(Scene.BLOB);
              assertThat(put).matches(seen -> !showedPassword(seen));
              return outcome;
            }),
        new Case(
            "what is sent is not turned into a GET",
            "RFC 9110 15.4.3",
            "HEAD 404, POST 302 => Unknown",
            scene -> {
              scene.registry(
                  seen -> seen.is("POST") ? to(302, "/elsewhere") : scene.usual.reply(seen));
              return scene.saying(scene.push(Scene.BLOB), "answered 302 to POST");
            }));
  }

  private static List<Case> odd() {
    return List.of(
        new Case(
            "a relative place",
            "RFC 9110 10.2.2",
            "GET 307, GET 200 => the blob",
            scene -> {
              scene.registry(
                  seen ->
                      seen.path().equals("/v2/x/storage/b")
                          ? Reply.of(200).body(Scene.BLOB)
                          : to(307, "../storage/b"));
              return scene.fetch();
            }),
        new Case(
            "a place that is only a query",
            "RFC 3986 5.2.2",
            "GET 307, GET 200 => the blob",
            scene -> {
              scene.registry(
                  seen -> seen.query().isEmpty() ? to(307, "?really=1") : scene.usual.reply(seen));
              return scene.fetch();
            }),
        new Case(
            "a place that should have been escaped",
            "RFC 3986 2.1",
            "GET 307, GET 200 => the blob",
            scene -> {
              scene.registry(
                  seen ->
                      seen.target().equals("/a%20b?c%7Cd")
                          ? Reply.of(200).body(Scene.BLOB)
                          : to(307, "/a b?c|d"));
              return scene.fetch();
            }),
        new Case(
            "a circle",
            SPEC,
            "GET 302 x11 => Unavailable",
            scene -> {
              scene.registry(Scene.always(to(302, "/again")));
              return scene.saying(scene.fetch(), "more than 10 redirects");
            }),
        new Case(
            "ten redirects are followed",
            SPEC,
            "GET 302 x10, GET 200 => the blob",
            scene -> {
              AtomicInteger hops = new AtomicInteger();
              scene.registry(
                  _ ->
                      hops.incrementAndGet() > 10
                          ? Reply.of(200).body(Scene.BLOB)
                          : to(302, "/hop" + hops));
              return scene.fetch();
            }),
        new Case(
            "a redirect to nowhere",
            "RFC 9110 10.2.2",
            "GET 307 => Unknown",
            scene -> {
              scene.registry(Scene.always(Reply.of(307)));
              return scene.saying(scene.fetch(), "answered 307 to GET");
            }),
        refused(
            "a redirect off the web",
            "ftp://storage.example/b",
            "\"ftp://storage.example/b\" is no address of http"),
        refused(
            "a redirect to a file", "file:///etc/shadow", "\"file:///etc/shadow\" is no address"),
        new Case(
            "a redirect from TLS to none",
            SECURITY,
            "HEAD 307 => Unavailable",
            scene -> {
              scene.registry(
                  Scene.always(to(307, "http://storage.example/b?sign=" + Scene.SECRET)),
                  Authority.server());
              scene.credentials(new Credentials("me", Scene.SECRET));
              String outcome =
                  scene.saying(
                      scene.resolve(), "redirect: from https to \"storage.example\" without tls");
              assertThat(scene.message().getBytes(UTF_8)).hasSizeLessThan(300);
              return outcome;
            }));
  }
}
