package io.jcontainerd.registry.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Tags and referrers. */
final class ListCases {
  private static final String TAGS = "DS listing tags";
  private static final String LINK = "RFC 8288 3";
  private static final String REFERRERS = "DS listing referrers";
  private static final String TAG_SCHEMA = "DS referrers tag schema";
  private static final String SIGNATURE = "application/vnd.example.signature";
  private static final String NOTES = "application/vnd.example.notes";

  private ListCases() {}

  private static Reply page(String... tags) {
    return Reply.of(200)
        .body(
            "{\"name\":\"x\",\"tags\":["
                + List.of(tags).stream()
                    .map(tag -> "\"" + tag + "\"")
                    .collect(Collectors.joining(","))
                + "]}");
  }

  /** Two pages, the first with this header. */
  private static Script pages(String link) {
    return seen -> seen.query().contains("last=") ? page("c", "a") : page("b").header("Link", link);
  }

  private static String tags(Scene scene) {
    return scene.outcome(() -> scene.client().tags(scene.image()).toString());
  }

  private static Case linking(String name, String link, String expected) {
    return new Case(
        name,
        LINK,
        expected,
        scene -> {
          scene.registry(pages(link));
          return tags(scene);
        });
  }

  private static String digest(char of) {
    return "sha256:" + String.valueOf(of).repeat(64);
  }

  private static String entry(char of, String type) {
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":7,\"artifactType\":\"%s\"}"
        .formatted(MediaTypes.MANIFEST, digest(of), type);
  }

  private static Reply index(String... entries) {
    return Reply.of(200)
        .header("Content-Type", MediaTypes.INDEX)
        .body(
            "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}"
                .formatted(MediaTypes.INDEX, String.join(",", entries)));
  }

  /** The referrers by the first character of their digests. */
  private static String referrers(Scene scene, String type) {
    return scene.outcome(
        () ->
            scene.client().referrers(scene.image(), Scene.IMAGE.digest(), type).stream()
                .map(Referrer::descriptor)
                .map(one -> one.digest().hex().substring(0, 1))
                .collect(Collectors.joining(" ", "[", "]")));
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>(tagCases());
    cases.addAll(referrerCases());
    return cases;
  }

  private static List<Case> tagCases() {
    String next = "/v2/x/tags/list?n=1&last=b";
    return List.of(
        new Case(
            "tags on one page",
            TAGS,
            "GET 200 => [1]",
            scene -> {
              scene.registry(scene.usual);
              String outcome = tags(scene);
              assertThat(scene.seen("").getFirst()).hasToString("GET /v2/x/tags/list?n=1000");
              return outcome;
            }),
        linking("a next page", "<" + next + ">; rel=\"next\"", "GET 200 x2 => [a, b, c]"),
        linking("a next page by a word", "<" + next + ">;rel=next", "GET 200 x2 => [a, b, c]"),
        linking(
            "a next page among others",
            "</first>; rel=\"first\", <" + next + ">; title=\"a, \\\"b\\\"\"; rel=\"last next\"",
            "GET 200 x2 => [a, b, c]"),
        linking("a next page, relative", "<list?last=b>; rel=\"next\"", "GET 200 x2 => [a, b, c]"),
        linking("a link to something else", "</first>; rel=\"prev\"", "GET 200 => [b]"),
        linking("a link that is none", "</v2/x; rel=\"next\"", "GET 200 => Unavailable"),
        new Case(
            "pages without end",
            TAGS,
            "GET 200 x2 => Unavailable",
            scene -> {
              scene.registry(Scene.always(page("a").header("Link", "<" + next + ">; rel=next")));
              return scene.saying(tags(scene), "lists pages without end");
            }),
        new Case(
            "a next page on another host gets no password",
            "RFC 9110 17.13",
            "GET 401, GET 200, other:GET 200 => [a, b]",
            scene -> {
              scene.password();
              scene.server("other", Scene.always(page("a")));
              scene.registry(
                  seen ->
                      seen.header("Authorization").isEmpty()
                          ? Reply.of(401).header("WWW-Authenticate", "Basic realm=r")
                          : page("b")
                              .header(
                                  "Link", "<http://" + scene.address("other") + "/p>; rel=next"));
              String outcome = tags(scene);
              assertThat(scene.seen("other").getFirst().header("Authorization")).isEmpty();
              return outcome;
            }),
        new Case(
            "no tags, said by null",
            TAGS,
            "GET 200 => []",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body("{\"name\":\"x\",\"tags\":null}")));
              return tags(scene);
            }),
        new Case(
            "tags that are no words",
            TAGS,
            "GET 200 => Unavailable",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body("{\"tags\":[1]}")));
              return scene.saying(tags(scene), "what is no list of tags");
            }),
        new Case(
            "a page of tags that is cut is asked for again",
            "RFC 9112 6.3",
            "GET 200!, GET 200 => [1]",
            scene -> {
              scene.registry(scene.first(page("1", "2", "3").closingAfter(9)));
              return tags(scene);
            }),
        new Case(
            "tags of an unknown repository",
            "DS error codes",
            "GET 404 => NotFound",
            scene -> {
              scene.registry(Scene.always(Reply.of(404)));
              return scene.saying(tags(scene), "image REGISTRY/x: registry REGISTRY answered 404");
            }));
  }

  private static List<Case> referrerCases() {
    Reply both = index(entry('a', SIGNATURE), entry('b', NOTES));
    return List.of(
        new Case(
            "all referrers",
            REFERRERS,
            "GET 200 => [a b]",
            scene -> {
              scene.registry(Scene.always(both));
              String outcome = referrers(scene, "");
              assertThat(scene.seen("").getFirst())
                  .hasToString("GET /v2/x/referrers/" + Scene.IMAGE.digest());
              return outcome;
            }),
        new Case(
            "referrers of a type, told apart by the registry",
            "DS listing referrers, OCI-Filters-Applied",
            "GET 200 => [a]",
            scene -> {
              scene.registry(
                  Scene.always(
                      index(entry('a', "")).header("OCI-Filters-Applied", "x, artifactType")));
              String outcome = referrers(scene, SIGNATURE + "+json");
              assertThat(scene.seen("").getFirst().query())
                  .isEqualTo("artifactType=application%2Fvnd.example.signature%2Bjson");
              return outcome;
            }),
        new Case(
            "referrers of a type, told apart by us",
            "DS listing referrers, OCI-Filters-Applied",
            "GET 200 => [b]",
            scene -> {
              scene.registry(Scene.always(both));
              return referrers(scene, NOTES);
            }),
        new Case(
            "referrers on two pages",
            REFERRERS,
            "GET 200 x2 => [a b c]",
            scene -> {
              scene.registry(
                  seen ->
                      seen.query().contains("p=2")
                          ? index(entry('c', NOTES))
                          : both.header("Link", "<?p=2>; rel=\"next\""));
              return referrers(scene, "");
            }),
        new Case(
            "referrers of who keeps no list",
            TAG_SCHEMA,
            "GET 404, GET 200 => [b]",
            scene -> {
              scene.registry(seen -> isTag(seen) ? both : Reply.of(404));
              return referrers(scene, NOTES);
            }),
        new Case(
            "no referrers, said by no list and no tag",
            TAG_SCHEMA,
            "GET 404 x2 => []",
            scene -> {
              scene.registry(Scene.always(Reply.of(404)));
              return referrers(scene, "");
            }),
        new Case(
            "a list of referrers that is none",
            REFERRERS,
            "GET 200 => Unavailable",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body("{\"errors\":[]}")));
              return scene.saying(
                  referrers(scene, ""), "answered with what is no index: it has no manifests");
            }),
        new Case(
            "a page in place of a list of referrers",
            REFERRERS,
            "GET 200 => Unavailable",
            scene -> {
              scene.registry(Scene.always(Reply.of(200).body("<p>")));
              return scene.saying(referrers(scene, ""), "what is no json object");
            }),
        new Case(
            "referrers that are forbidden",
            "DS error codes",
            "GET 403 => PermissionDenied",
            scene -> {
              scene.registry(Scene.always(Reply.of(403)));
              return referrers(scene, "");
            }));
  }

  private static boolean isTag(Seen seen) {
    return seen.path()
        .equals("/v2/x/manifests/" + Scene.IMAGE.digest().toString().replace(':', '-'));
  }
}
