package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.registry.Credentials;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.Seen;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Who we are. */
final class AuthCases {
  private static final String BASIC = "RFC 7617";
  private static final String CHALLENGE = "RFC 9110 11.6.1";
  private static final String TOKEN = "TA token";
  private static final String OAUTH = "TA oauth2";
  private static final String OURS = "docs/registries.md, credentials";
  private static final String PROOF =
      "Basic "
          + Base64.getEncoder()
              .encodeToString(("me:" + Scene.SECRET + "-password").getBytes(UTF_8));

  private AuthCases() {}

  /** A registry that lets in whoever shows this, and sends all others away. */
  private static Script guarded(Scene scene, String proof, Reply refusal) {
    return seen ->
        seen.header("Authorization").filter(proof::equals).isPresent()
            ? scene.usual.reply(seen)
            : refusal;
  }

  private static Reply refusal(String... challenges) {
    Reply reply = UsualAnswers.error(401, "UNAUTHORIZED", "authentication required");
    for (String challenge : challenges) {
      reply = reply.header("WWW-Authenticate", challenge);
    }
    return reply;
  }

  private static Reply bearer(Scene scene, String more) {
    return refusal(
        "Bearer realm=\"http://"
            + scene.address("token")
            + "/token\",service=\"the registry\""
            + more);
  }

  private static Reply token(String more) {
    return Reply.of(200).body("{\"token\":\"" + Scene.SECRET + "-token\"" + more + "}");
  }

  /** A registry that wants a token, and who gives it. */
  private static void tokens(Scene scene, Script server) {
    scene.server("token", server);
    scene.registry(
        guarded(
            scene,
            "Bearer " + Scene.SECRET + "-token",
            bearer(scene, ",scope=\"repository:x:pull\"")));
  }

  private static Case tokens(String name, String spec, String expected, Reply answer) {
    return new Case(
        name,
        spec,
        expected,
        scene -> {
          scene.password();
          tokens(scene, Scene.always(answer));
          return scene.saying(scene.resolve(), "image REGISTRY/x:1: ");
        });
  }

  private static List<Seen> tokenRequests(Scene scene) {
    return scene.seen("token");
  }

  private static String form(Seen seen) {
    return new String(seen.body(), UTF_8);
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>(basic());
    cases.addAll(bearerByGet());
    cases.addAll(bearerByPost());
    cases.addAll(kept());
    return cases;
  }

  private static List<Case> basic() {
    return List.of(
        new Case(
            "a password, when it is asked for and from then on",
            BASIC,
            "HEAD 401, HEAD 200 x2 => resolved, resolved",
            scene -> {
              scene.password();
              scene.registry(guarded(scene, PROOF, refusal("Basic realm=\"r\"")));
              String outcome = scene.resolve() + ", " + scene.resolve();
              assertThat(scene.seen("").getFirst().header("Authorization")).isEmpty();
              return outcome;
            }),
        new Case(
            "a wrong password",
            BASIC,
            "HEAD 401 x2, GET 401 x2 => Unauthenticated",
            scene -> {
              scene.password();
              scene.registry(Scene.always(refusal("Basic realm=\"r\"")));
              return scene.saying(
                  scene.resolve(),
                  "answered 401 to GET /v2/x/manifests/1 (as \"me\"): UNAUTHORIZED");
            }),
        new Case(
            "a password that nobody knows",
            BASIC,
            "HEAD 401, GET 401 => Unauthenticated",
            scene -> {
              scene.registry(Scene.always(refusal("Basic realm=\"r\"")));
              return scene.saying(scene.resolve(), "answered 401", "(anonymous)");
            }),
        new Case(
            "a refusal that offers nothing",
            CHALLENGE,
            "HEAD 401, GET 401 => Unauthenticated",
            scene -> {
              scene.password();
              scene.registry(Scene.always(refusal()));
              return scene.resolve();
            }),
        new Case(
            "a scheme that nobody speaks",
            CHALLENGE,
            "HEAD 401, GET 401 => Unauthenticated",
            scene -> {
              scene.password();
              scene.registry(Scene.always(refusal("Negotiate abc==")));
              return scene.resolve();
            }),
        new Case(
            "an unknown scheme, then a known one, in one line",
            CHALLENGE,
            "HEAD 401, HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.registry(
                  guarded(scene, PROOF, refusal("Digest realm=\"a, b\", nonce=x, Basic realm=r")));
              return scene.resolve();
            }),
        new Case(
            "an unknown scheme, then a known one, in two lines",
            CHALLENGE,
            "HEAD 401, HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.registry(guarded(scene, PROOF, refusal("Negotiate", "basic realm=\"r\"")));
              return scene.resolve();
            }),
        new Case(
            "an identity token is no password",
            BASIC,
            "HEAD 401, GET 401 => Unauthenticated",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET));
              scene.registry(Scene.always(refusal("Basic realm=\"r\"")));
              return scene.resolve();
            }),
        new Case(
            "a registry token is shown to the registry",
            "docker config.json registrytoken",
            "HEAD 401, HEAD 200 => resolved",
            scene -> {
              scene.credentials(Credentials.registryToken(Scene.SECRET + "-token", "a file"));
              scene.registry(
                  guarded(
                      scene,
                      "Bearer " + Scene.SECRET + "-token",
                      refusal("Bearer realm=\"http://127.0.0.1:1/\"")));
              return scene.resolve();
            }),
        new Case(
            "a registry token that would begin another header",
            "RFC 9110 5.5",
            "HEAD 401 => Unavailable",
            scene -> {
              scene.credentials(Credentials.registryToken(Scene.SECRET + "\r\nX: y", "a file"));
              scene.registry(Scene.always(refusal("Basic realm=\"r\"")));
              return scene.saying(
                  scene.resolve(), "what is known with a registry token of a file cannot be sent");
            }),
        new Case(
            "a header that ends is asked for again",
            "core.registry.RegistryCredential",
            "HEAD 401, HEAD 200 x2, HEAD 401, HEAD 200 => resolved x3, asked 2 times for REGISTRY",
            scene -> {
              List<String> hosts = new ArrayList<>();
              Instant until = scene.time.now().plusSeconds(100);
              scene.options(
                  o ->
                      o.withCredentialSource(
                          challenge -> {
                            hosts.add(challenge.host());
                            assertThat(challenge.wwwAuthenticate())
                                .containsExactly("Basic realm=\"r\"");
                            return new RegistryCredential.Header(
                                "Made " + Scene.SECRET, Optional.of(until));
                          }));
              String address =
                  scene
                      .registry(
                          guarded(scene, "Made " + Scene.SECRET, refusal("Basic realm=\"r\"")))
                      .address();
              scene.resolve();
              scene.resolve();
              scene.time.sleep(Duration.ofSeconds(101));
              String outcome = scene.resolve();
              assertThat(hosts).containsOnly(address);
              return outcome + " x3, asked " + hosts.size() + " times for REGISTRY";
            }));
  }

  private static List<Case> bearerByGet() {
    return List.of(
        new Case(
            "an anonymous token",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              tokens(scene, Scene.always(token("")));
              String outcome = scene.resolve();
              Seen asked = tokenRequests(scene).getFirst();
              assertThat(asked.target())
                  .isEqualTo("/token?service=the+registry&scope=repository%3Ax%3Apull");
              assertThat(asked.header("Authorization")).isEmpty();
              return outcome;
            }),
        new Case(
            "a token for a password",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              scene.password();
              tokens(scene, Scene.always(token("")));
              String outcome = scene.resolve();
              assertThat(tokenRequests(scene).getFirst().header("Authorization")).hasValue(PROOF);
              return outcome;
            }),
        new Case(
            "a token called access_token",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              tokens(
                  scene,
                  Scene.always(
                      Reply.of(200)
                          .body(
                              "{\"token\":\"\",\"access_token\":\"" + Scene.SECRET + "-token\"}")));
              return scene.resolve();
            }),
        new Case(
            "a realm with a query of its own",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              scene.server("token", Scene.always(token("")));
              scene.registry(
                  guarded(
                      scene,
                      "Bearer " + Scene.SECRET + "-token",
                      refusal("Bearer realm=\"http://" + scene.address("token") + "/t?a=b\"")));
              String outcome = scene.resolve();
              assertThat(tokenRequests(scene).getFirst().target())
                  .isEqualTo("/t?a=b&scope=repository%3Ax%3Apull");
              return outcome;
            }),
        new Case(
            "what is asked and what is needed are one scope",
            "TA scope",
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              scene.server("token", Scene.always(token("")));
              scene.registry(
                  guarded(
                      scene,
                      "Bearer " + Scene.SECRET + "-token",
                      bearer(scene, ",scope=\"repository:x:push,pull registry:catalog:*\"")));
              String outcome = scene.resolve();
              assertThat(tokenRequests(scene).getFirst().query())
                  .isEqualTo(
                      "service=the+registry&scope=registry%3Acatalog%3A*"
                          + "&scope=repository%3Ax%3Apull%2Cpush");
              return outcome;
            }),
        new Case(
            "a token rather than a password",
            CHALLENGE,
            "HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.server("token", Scene.always(token("")));
              scene.registry(
                  guarded(
                      scene,
                      "Bearer " + Scene.SECRET + "-token",
                      refusal(
                          "Basic realm=\"r\"",
                          "Bearer realm=\"http://" + scene.address("token") + "/token\"")));
              return scene.resolve();
            }),
        new Case(
            "a password where the token server is broken",
            CHALLENGE,
            "HEAD 401, token:GET 403, HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.server("token", Scene.always(Reply.of(403)));
              scene.registry(
                  guarded(
                      scene,
                      PROOF,
                      refusal(
                          "Bearer realm=\"http://" + scene.address("token") + "/token\"",
                          "Basic realm=\"r\"")));
              return scene.resolve();
            }),
        tokens(
            "a token server that refuses",
            TOKEN,
            "HEAD 401, token:GET 401 => Unauthenticated",
            Reply.of(401)),
        tokens(
            "a token server that forbids",
            TOKEN,
            "HEAD 401, token:GET 403 => Unauthenticated",
            Reply.of(403)),
        tokens(
            "a token server without a token",
            TOKEN,
            "HEAD 401, token:GET 200 => Unavailable",
            Reply.of(200).body("{}")),
        tokens(
            "a token server without sense",
            TOKEN,
            "HEAD 401, token:GET 200 => Unavailable",
            Reply.of(200).body("<" + Scene.SECRET + "-token>")),
        tokens(
            "a token server with a token of another type",
            TOKEN,
            "HEAD 401, token:GET 200 => Unavailable",
            Reply.of(200).body("{\"token\":[\"" + Scene.SECRET + "\"]}")),
        tokens(
            "a token that would begin another header",
            "RFC 9110 5.5",
            "HEAD 401, token:GET 200 => Unavailable",
            Reply.of(200).body("{\"token\":\"" + Scene.SECRET + "\\r\\nX: y\"}")),
        tokens(
            "a token of two megabytes",
            TOKEN,
            "HEAD 401, token:GET 200 => Unavailable",
            Reply.of(200).body("{\"token\":\"" + "t".repeat(2 << 20) + "\"}")),
        new Case(
            "a token server that is busy",
            "RFC 9110 10.2.3",
            "HEAD 401, token:GET 429, HEAD 401, token:GET 200, HEAD 200 => resolved after [PT7S]",
            scene -> {
              AtomicInteger calls = new AtomicInteger();
              tokens(
                  scene,
                  _ ->
                      calls.incrementAndGet() == 1
                          ? Reply.of(429).header("Retry-After", "7")
                          : token(""));
              return scene.resolve() + " after " + scene.time.sleeps;
            }),
        new Case(
            "a token server that is down for a moment",
            "RFC 9110 15.6",
            "HEAD 401, token:GET 503, HEAD 401, token:GET 200, HEAD 200 => resolved",
            scene -> {
              AtomicInteger calls = new AtomicInteger();
              tokens(scene, _ -> calls.incrementAndGet() == 1 ? Reply.of(503) : token(""));
              return scene.resolve();
            }),
        new Case(
            "a token server that wants an hour of patience",
            "RFC 9110 10.2.3",
            "HEAD 401, token:GET 429 => Unavailable after []",
            scene -> {
              tokens(scene, Scene.always(Reply.of(429).header("Retry-After", "3600")));
              return scene.resolve() + " after " + scene.time.sleeps;
            }),
        new Case(
            "a token server that sends us elsewhere gets the password alone",
            "RFC 9110 15.4",
            "HEAD 401, token:GET 302, other:GET 200, HEAD 200 => resolved",
            scene -> {
              scene.password();
              scene.server("other", Scene.always(token("")));
              tokens(
                  scene,
                  Scene.always(
                      Reply.of(302).header("Location", "http://" + scene.address("other") + "/")));
              String outcome = scene.resolve();
              assertThat(tokenRequests(scene).getFirst().header("Authorization")).hasValue(PROOF);
              assertThat(scene.seen("other").getFirst().header("Authorization")).isEmpty();
              return outcome;
            }),
        new Case(
            "a realm that is no address",
            TOKEN,
            "HEAD 401 => Unavailable",
            scene -> {
              scene.password();
              scene.registry(Scene.always(refusal("Bearer realm=\"ftp://tokens.example/t\"")));
              return scene.saying(
                  scene.resolve(), "token server \"ftp://tokens.example/t\" is no https address");
            }),
        new Case(
            "no realm at all",
            TOKEN,
            "HEAD 401 => Unavailable",
            scene -> {
              scene.registry(Scene.always(refusal("Bearer service=s")));
              return scene.saying(scene.resolve(), "token server \"\" is no https address");
            }));
  }

  private static List<Case> bearerByPost() {
    return List.of(
        new Case(
            "an identity token is exchanged",
            OAUTH,
            "HEAD 401, token:POST 200, HEAD 200 => resolved",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-identity"));
              tokens(scene, Scene.always(token("")));
              String outcome = scene.resolve();
              Seen asked = tokenRequests(scene).getFirst();
              assertThat(asked.header("Content-Type"))
                  .hasValue("application/x-www-form-urlencoded");
              assertThat(asked.header("Authorization")).isEmpty();
              assertThat(form(asked))
                  .isEqualTo(
                      "grant_type=refresh_token&client_id=jcontainerd&service=the+registry"
                          + "&scope=repository%3Ax%3Apull&refresh_token="
                          + Scene.SECRET
                          + "-identity");
              return outcome;
            }),
        new Case(
            "a password by POST where GET is not spoken",
            OAUTH,
            "HEAD 401, token:GET 405, token:POST 200, HEAD 200 => resolved",
            scene -> {
              scene.password();
              tokens(scene, seen -> seen.is("GET") ? Reply.of(405) : token(""));
              String outcome = scene.resolve();
              assertThat(form(tokenRequests(scene).getLast()))
                  .startsWith("grant_type=password&")
                  .endsWith("&username=me&password=" + Scene.SECRET + "-password");
              return outcome;
            }),
        new Case(
            "an identity token does not follow a redirect to another host",
            OURS,
            "HEAD 401, token:POST 307 => Unavailable",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-identity", "a file"));
              scene.server("elsewhere", Scene.always(token("")));
              tokens(
                  scene,
                  Scene.always(
                      Reply.of(307)
                          .header("Location", "http://" + scene.address("elsewhere") + "/t")));
              String outcome =
                  scene.saying(
                      scene.resolve(), "redirect: a secret is not sent on from TOKEN to ELSEWHERE");
              assertThat(scene.seen("elsewhere")).isEmpty();
              return outcome;
            }),
        new Case(
            "a password in a body does not follow a redirect to another host",
            OURS,
            "HEAD 401, token:GET 405, token:POST 308 => Unavailable",
            scene -> {
              scene.password();
              scene.server("elsewhere", Scene.always(token("")));
              tokens(
                  scene,
                  seen ->
                      seen.is("GET")
                          ? Reply.of(405)
                          : Reply.of(308)
                              .header("Location", "http://" + scene.address("elsewhere") + "/t"));
              String outcome = scene.resolve();
              assertThat(scene.seen("elsewhere")).isEmpty();
              return outcome;
            }),
        new Case(
            "an identity token follows a redirect within its token server",
            OAUTH,
            "HEAD 401, token:POST 307, token:POST 200, HEAD 200 => resolved",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-identity"));
              tokens(
                  scene,
                  seen ->
                      seen.path().equals("/token")
                          ? Reply.of(307).header("Location", "/other")
                          : token(""));
              return scene.resolve();
            }),
        new Case(
            "an identity token that is refused",
            OAUTH,
            "HEAD 401, token:POST 401 => Unauthenticated",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-identity", "a file"));
              tokens(scene, Scene.always(Reply.of(401)));
              return scene.saying(
                  scene.resolve(),
                  "token server TOKEN of registry REGISTRY answered 401 (with an identity token of"
                      + " a file)");
            }),
        new Case(
            "a newer identity token takes the place of ours",
            "RFC 6749 6",
            "HEAD 401, token:POST 200, HEAD 200, HEAD 401, token:POST 200, HEAD 200 => resolved,"
                + " resolved",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-first"));
              tokens(
                  scene,
                  Scene.always(
                      token(
                          ",\"expires_in\":60,\"refresh_token\":\"" + Scene.SECRET + "-second\"")));
              String first = scene.resolve();
              scene.time.sleep(Duration.ofSeconds(61));
              String outcome = first + ", " + scene.resolve();
              assertThat(form(tokenRequests(scene).getFirst())).endsWith(Scene.SECRET + "-first");
              assertThat(form(tokenRequests(scene).getLast())).endsWith(Scene.SECRET + "-second");
              return outcome;
            }),
        new Case(
            "ours is used again when the newer one is refused",
            "RFC 6749 6",
            "HEAD 401, token:POST 200, HEAD 200, HEAD 401, token:POST 401, token:POST 200, HEAD 200"
                + " => resolved, resolved",
            scene -> {
              scene.credentials(new Credentials("", Scene.SECRET + "-first"));
              tokens(
                  scene,
                  seen ->
                      form(seen).endsWith("-first")
                          ? token(",\"refresh_token\":\"" + Scene.SECRET + "-second\"")
                          : Reply.of(401));
              String first = scene.resolve();
              scene.time.sleep(Duration.ofSeconds(61));
              return first + ", " + scene.resolve();
            }));
  }

  /** What is proven once. */
  private static List<Case> kept() {
    return List.of(
        life("a token serves until it ends", ",\"expires_in\":300", 289, "HEAD 200"),
        life(
            "a token that ended is not shown",
            ",\"expires_in\":300",
            291,
            "HEAD 401, token:GET 200, HEAD 200"),
        life("a token without an end serves a minute", "", 49, "HEAD 200"),
        life("a token that ends at once serves a minute", ",\"expires_in\":1", 49, "HEAD 200"),
        life("a token that ended before serves a minute", ",\"expires_in\":-9", 49, "HEAD 200"),
        life(
            "a token that hardly ends serves a day",
            ",\"expires_in\":9223372036854775807",
            86_391,
            "HEAD 401, token:GET 200, HEAD 200"),
        new Case(
            "a token that is refused is fetched anew, once",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 200, HEAD 401, token:GET 200, HEAD 200 => resolved,"
                + " resolved",
            scene -> {
              AtomicInteger number = new AtomicInteger();
              scene.server(
                  "token",
                  _ -> Reply.of(200).body("{\"token\":\"t" + number.incrementAndGet() + "\"}"));
              AtomicInteger good = new AtomicInteger(1);
              scene.registry(
                  seen ->
                      seen.header("Authorization").filter(("Bearer t" + good)::equals).isPresent()
                          ? scene.usual.reply(seen)
                          : bearer(scene, ""));
              String first = scene.resolve();
              good.set(2);
              return first + ", " + scene.resolve();
            }),
        new Case(
            "a token that is always refused",
            TOKEN,
            "HEAD 401, token:GET 200, HEAD 401, GET 401, token:GET 200, GET 401 =>"
                + " Unauthenticated",
            scene -> {
              scene.server("token", Scene.always(token("")));
              scene.registry(Scene.always(bearer(scene, ",error=\"invalid_token\"")));
              return scene.saying(scene.resolve(), "(by an anonymous token)");
            }),
        new Case(
            "a token for more serves for less",
            "TA scope",
            "HEAD 401, token:GET 200, HEAD 404, POST 202, PUT 201, GET 200 => sent, the manifest",
            scene -> {
              scene.server("token", Scene.always(token("")));
              scene.usual.manifest("y", "1", "application/json", Scene.MANIFEST);
              String name =
                  scene
                      .registry(
                          guarded(scene, "Bearer " + Scene.SECRET + "-token", bearer(scene, "")))
                      .address();
              String sent = scene.push(Scene.BLOB);
              return sent
                  + ", "
                  + scene.outcome(
                      () -> {
                        try (var in = scene.client().fetch(name + "/y", Scene.IMAGE, 0)) {
                          return in.readAllBytes().length == Scene.MANIFEST.length
                              ? "the manifest"
                              : "something else";
                        }
                      });
            }),
        new Case(
            "a mount asks for both repositories",
            "TA scope, DS mounting",
            "HEAD 401, token:GET 200, HEAD 404, POST 401, token:GET 200, POST 201 => nothing sent",
            scene -> {
              scene.server("token", Scene.always(token("")));
              String name =
                  scene
                      .registry(
                          seen ->
                              seen.header("Authorization").isEmpty()
                                  ? bearer(scene, "")
                                  : scene.usual.reply(seen))
                      .address();
              String outcome =
                  scene.push(
                      new Descriptor(
                          Scene.LAYER.mediaType(),
                          Scene.LAYER.digest(),
                          Scene.LAYER.size(),
                          Map.of("containerd.io/distribution.source." + name, "x")),
                      new byte[0]);
              assertThat(tokenRequests(scene).getLast().query())
                  .endsWith("&scope=repository%3Ax%3Apull&scope=repository%3Ay%3Apull%2Cpush");
              return outcome;
            }),
        new Case(
            "many at once get one token",
            TOKEN,
            "token:GET 200 => 8 times resolved",
            scene -> {
              CyclicBarrier together = new CyclicBarrier(8);
              scene.server("token", Scene.always(token("")));
              var server =
                  scene.closing(
                      new io.jcontainerd.testkit.registry.ScriptedRegistry(
                          seen -> {
                            if (seen.header("Authorization").isPresent()) {
                              return scene.usual.reply(seen);
                            }
                            try {
                              together.await();
                            } catch (Exception e) {
                              throw new IllegalStateException(e);
                            }
                            return bearer(scene, "");
                          }));
              scene.registry(server.address());
              scene.client();
              try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<String>> all = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                  all.add(threads.submit(() -> scene.resolve()));
                }
                int resolved = 0;
                for (Future<String> one : all) {
                  resolved += one.get().equals("resolved") ? 1 : 0;
                }
                return resolved + " times resolved";
              }
            }));
  }

  private static Case life(String name, String answer, int seconds, String second) {
    return new Case(
        name,
        "TA token, expires_in",
        "HEAD 401, token:GET 200, "
            + (second.equals("HEAD 200") ? "HEAD 200 x2" : "HEAD 200, " + second)
            + " => resolved, resolved",
        scene -> {
          tokens(scene, Scene.always(token(answer)));
          String first = scene.resolve();
          scene.time.sleep(Duration.ofSeconds(seconds));
          return first + ", " + scene.resolve();
        });
  }
}
