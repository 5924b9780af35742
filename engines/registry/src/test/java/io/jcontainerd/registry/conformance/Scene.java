package io.jcontainerd.registry.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.registry.Credentials;
import io.jcontainerd.registry.DistributionRegistry;
import io.jcontainerd.registry.FakeTime;
import io.jcontainerd.registry.RegistryOptions;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.ScriptedRegistry;
import io.jcontainerd.testkit.registry.Seen;
import io.jcontainerd.testkit.registry.UsualAnswers;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A client, the servers that it speaks to, and what came over the lines between them. All secrets
 * that the client knows begin with {@link #SECRET}, so that they are found where they must not be.
 */
final class Scene implements AutoCloseable {
  static final String SECRET = "hush";

  /** So long those are waited for who fall silent: longer than a busy machine takes to answer. */
  static final Duration SILENCE = Duration.ofSeconds(2);

  /** The longest that an answer which breaks off waits to be read. */
  private static final Duration READING = Duration.ofSeconds(1);

  static final byte[] MANIFEST =
      "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\",\"size\":1},\"layers\":[]}"
          .formatted("a".repeat(64))
          .getBytes(UTF_8);
  static final Descriptor IMAGE =
      new Descriptor(MediaTypes.MANIFEST, Digest.sha256(MANIFEST), MANIFEST.length);
  static final byte[] BLOB = random(100_000, 1);
  static final Descriptor LAYER =
      new Descriptor(MediaTypes.LAYER_GZIP, Digest.sha256(BLOB), BLOB.length);

  final FakeTime time = new FakeTime();
  final UsualAnswers usual =
      new UsualAnswers().blob("x", BLOB).manifest("x", "1", MediaTypes.MANIFEST, MANIFEST);

  private final Map<String, ScriptedRegistry> servers = new LinkedHashMap<>();
  private final Map<String, String> names = new LinkedHashMap<>();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<String> trace = new CopyOnWriteArrayList<>();
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final AtomicLong read = new AtomicLong();
  private final AtomicLong broken = new AtomicLong();
  private final Logger logger = Logger.getLogger("io.jcontainerd.registry");
  private final Level levelBefore = Optional.ofNullable(logger.getLevel()).orElse(Level.INFO);
  private final Handler listener = listener();
  private RegistryOptions options =
      RegistryOptions.defaults()
          .withTime(time)
          .withTimeouts(Duration.ofSeconds(20), Duration.ofSeconds(20));
  private @Nullable DistributionRegistry client;
  private @Nullable Path folder;
  private String registry = "registry.invalid";

  Scene() {
    logger.setLevel(Level.ALL);
    logger.addHandler(listener);
  }

  private Handler listener() {
    return new Handler() {
      @Override
      public void publish(LogRecord entry) {
        told.add(entry.getMessage() + " " + Arrays.toString(entry.getParameters()));
        if (entry.getThrown() != null) {
          told.add(stack(entry.getThrown()));
        }
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  static byte[] random(int length, int seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  // the servers

  /** The registry that images are named after. */
  ScriptedRegistry registry(Script script) {
    ScriptedRegistry server = server("", script, null);
    registry = server.address();
    return server;
  }

  /** The registry, with TLS. */
  ScriptedRegistry registry(Script script, SSLContext tls) {
    ScriptedRegistry server = server("", script, tls);
    registry = server.address();
    return server;
  }

  /** The registry's name, when somebody else serves it. */
  void registry(String name) {
    registry = name;
  }

  /** Another server, with a word for the trace. */
  ScriptedRegistry server(String role, Script script) {
    return server(role, script, null);
  }

  private ScriptedRegistry server(String role, Script script, @Nullable SSLContext tls) {
    ScriptedRegistry server =
        new ScriptedRegistry(
            new Script() {
              @Override
              public Reply reply(Seen seen) {
                Reply reply = script.reply(seen);
                saw(role, seen.method(), reply);
                return reply;
              }

              @Override
              public long appetite(Seen head) {
                return script.appetite(head);
              }

              @Override
              public void beforeEnd(Seen seen, Reply reply) {
                if (seen.path().contains("/blobs/") && reply.status() < 300) {
                  awaitRead(Math.min(reply.after(), reply.body().length));
                } else {
                  script.beforeEnd(seen, reply);
                }
              }
            },
            tls);
    servers.put(role, server);
    named(server.address(), role.isEmpty() ? "REGISTRY" : role.toUpperCase(java.util.Locale.ROOT));
    open.add(server);
    return server;
  }

  /** What messages call an address in the table. */
  void named(String address, String name) {
    names.put(address, name);
  }

  void saw(String role, String method, Reply reply) {
    String status =
        reply.status() == 0
            ? (reply.manner() == Reply.Manner.STALL ? "silence" : "hang-up")
            : reply.status() + (reply.manner() == Reply.Manner.KEEP ? "" : "!");
    trace.add((role.isEmpty() ? "" : role + ":") + method + " " + status);
  }

  /** Closes at the end of the scene. */
  <T extends AutoCloseable> T closing(T what) {
    open.add(what);
    return what;
  }

  /** What a server was asked, in order. */
  List<Seen> seen(String role) {
    ScriptedRegistry server = servers.get(role);
    if (server == null) {
      throw new IllegalArgumentException("no server " + role);
    }
    return server.seen();
  }

  String address(String role) {
    ScriptedRegistry server = servers.get(role);
    if (server == null) {
      throw new IllegalArgumentException("no server " + role);
    }
    return server.address();
  }

  /** These answers in turn, then the usual ones. */
  Script first(Reply... replies) {
    AtomicInteger next = new AtomicInteger();
    return seen -> {
      int index = next.getAndIncrement();
      return index < replies.length ? replies[index] : usual.reply(seen);
    };
  }

  /** Always this answer. */
  static Script always(Reply reply) {
    return _ -> reply;
  }

  // the client

  /** Changes what the client will be. */
  void options(UnaryOperator<RegistryOptions> change) {
    options = change.apply(options);
  }

  /** The client knows a name and a password, everywhere. */
  void password() {
    credentials(new Credentials("me", SECRET + "-password"));
  }

  void credentials(Credentials known) {
    options(o -> o.withCredentials((String _) -> Optional.of(known)));
  }

  /** A {@code hosts.toml} of the registry {@code r.example}, which images are then named after. */
  Path hosts(String text) throws IOException {
    Path root = Files.createTempDirectory("conformance");
    folder = root;
    Path of = Files.createDirectories(root.resolve("r.example"));
    Files.writeString(of.resolve("hosts.toml"), text);
    registry = "r.example";
    options(o -> o.withHosts(new HostsDirectory(List.of(root))));
    return of;
  }

  DistributionRegistry client() {
    DistributionRegistry known = client;
    if (known == null) {
      known = closing(new DistributionRegistry(options));
      client = known;
    }
    return known;
  }

  String image() {
    return registry + "/x:1";
  }

  // what it does

  String resolve() {
    return resolve(image());
  }

  String resolve(String reference) {
    return outcome(() -> resolved(client().resolve(reference)));
  }

  private static String resolved(Descriptor descriptor) {
    return descriptor.equals(IMAGE)
        ? "resolved"
        : "resolved " + descriptor.mediaType() + " of " + descriptor.size() + " bytes";
  }

  String fetch() {
    return fetch(LAYER, 0);
  }

  String fetch(Descriptor descriptor, long offset) {
    return outcome(
        () -> {
          try (InputStream in = client().fetch(image(), descriptor, offset)) {
            return bytes(readAll(in), offset);
          }
        });
  }

  String fetchPart(long offset, long length) {
    return outcome(
        () -> {
          Optional<InputStream> part = client().fetchPart(image(), LAYER, offset, length);
          if (part.isEmpty()) {
            return "no part";
          }
          try (InputStream in = part.get()) {
            return bytes(readAll(in), offset);
          }
        });
  }

  private byte[] readAll(InputStream in) throws IOException {
    var all = new ByteArrayOutputStream();
    byte[] piece = new byte[8192];
    for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
      all.write(piece, 0, count);
      read.addAndGet(count);
    }
    return all.toByteArray();
  }

  /** Until so many more bytes of broken answers were read, if anybody reads them. */
  private void awaitRead(int count) {
    long all = broken.addAndGet(count);
    long began = System.nanoTime();
    while (read.get() < all && System.nanoTime() - began < READING.toNanos()) {
      LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }
  }

  private static String bytes(byte[] bytes, long offset) {
    if (Arrays.equals(bytes, MANIFEST)) {
      return "the manifest";
    }
    int from = Math.toIntExact(offset);
    boolean right =
        from + bytes.length <= BLOB.length
            && Arrays.equals(bytes, Arrays.copyOfRange(BLOB, from, from + bytes.length));
    if (!right) {
      return bytes.length + " other bytes";
    }
    return bytes.length == BLOB.length ? "the blob" : bytes.length + " bytes of it";
  }

  String push(byte[] bytes) {
    return push(new Descriptor(MediaTypes.LAYER_GZIP, Digest.sha256(bytes), bytes.length), bytes);
  }

  String push(Descriptor descriptor, byte[] bytes) {
    return push(descriptor, () -> new ByteArrayInputStream(bytes));
  }

  String push(Descriptor descriptor, Registry.Source source) {
    return outcome(
        () -> client().push(registry + "/y:2", descriptor, source) ? "sent" : "nothing sent");
  }

  String pushManifest(byte[] bytes) {
    return push(new Descriptor(MediaTypes.MANIFEST, Digest.sha256(bytes), bytes.length), bytes);
  }

  /** Something that the client does. */
  @FunctionalInterface
  interface Doing {
    String run() throws Exception;
  }

  /** What came of it; failures by their kind. What they say is kept, to be looked at. */
  String outcome(Doing doing) {
    try {
      return doing.run();
    } catch (ContainerdException | IOException e) {
      told.add(stack(e));
      message = named(String.valueOf(e.getMessage()));
      return e instanceof ContainerdException
          ? e.getClass().getSimpleName().replaceFirst("Exception$", "")
          : "IOException";
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private String message = "";

  /** Holds a part of what the last failure said. */
  String saying(String outcome, String... parts) {
    assertThat(message).contains(parts);
    return outcome;
  }

  /** What the last failure said, with words for addresses. */
  String message() {
    return message;
  }

  private String named(String text) {
    String result = text;
    for (Map.Entry<String, String> name : names.entrySet()) {
      result = result.replace(name.getKey(), name.getValue());
    }
    return result;
  }

  private static String stack(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  /** No secret may stand in what was thrown or logged. */
  void checkSecrets() {
    assertThat(told).noneMatch(text -> text.contains(SECRET));
  }

  /**
   * What came over the lines; repetitions are counted, but for those of connections that hung up:
   * the JDK, too, asks again then.
   */
  String trace() {
    List<String> words = new ArrayList<>();
    for (int at = 0; at < trace.size(); ) {
      int end = at;
      while (end < trace.size() && trace.get(end).equals(trace.get(at))) {
        end++;
      }
      words.add(
          trace.get(at)
              + (end - at > 1 && !trace.get(at).endsWith("hang-up") ? " x" + (end - at) : ""));
      at = end;
    }
    return words.isEmpty() ? "nothing" : String.join(", ", words);
  }

  @Override
  public void close() throws Exception {
    logger.removeHandler(listener);
    logger.setLevel(levelBefore);
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
    if (folder != null) {
      try (var files = Files.walk(folder)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
