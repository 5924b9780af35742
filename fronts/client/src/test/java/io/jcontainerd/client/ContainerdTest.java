package io.jcontainerd.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.client.Progress.Stage;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.oci.runtime.SpecOptions;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.wire.TypedValues;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The whole client against Debian's containerd. */
@Tag("root")
@Timeout(300)
class ContainerdTest {
  private static final String NAME = "registry.test/busybox:1";
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  /** Of this run alone, so that nothing is met that an earlier one may have left. */
  private static final String PREFIX = "client-" + ProcessHandle.current().pid() + "-";

  private static final AtomicInteger COUNTER = new AtomicInteger();

  private static Path folder;
  private static ReferenceDaemon daemon;
  private static Containerd root;
  private static BusyboxImage image;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    folder = Files.createTempDirectory(Path.of("/tmp"), "client-test-");
    daemon = ReferenceDaemon.start(folder.resolve("d"));
    root = Containerd.connect(daemon.address());
    image = BusyboxImage.make(folder.resolve("image"), "");
  }

  @AfterAll
  static void stop() throws IOException, InterruptedException {
    root.close();
    daemon.close();
    assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
        .as("mounts left behind")
        .doesNotContain(folder.toString());
    try (var left = Files.walk(folder)) {
      for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
    removeNamespaceGroups();
  }

  /** OCI runtimes leave a namespace's control group when its last container is gone. */
  private static void removeNamespaceGroups() throws IOException {
    List<Path> tops = new ArrayList<>(List.of(CGROUPS)); // version 1 has one for each controller
    try (var controllers = Files.list(CGROUPS)) {
      controllers.filter(Files::isDirectory).forEach(tops::add);
    }
    for (Path top : tops) {
      for (int i = 1; i <= COUNTER.get(); i++) {
        Files.deleteIfExists(top.resolve(PREFIX + i)); // fails while a container's is in it
      }
    }
  }

  /** A namespace of its own for each test. */
  private static Containerd fresh() {
    return root.in(PREFIX + COUNTER.incrementAndGet());
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** A registry in memory that can be told to break. */
  private static final class Shelf implements Registry {
    private final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
    private final Map<String, Descriptor> names = new ConcurrentHashMap<>();
    private final Map<Digest, byte[]> damaged = new ConcurrentHashMap<>();
    private final List<Digest> fetched = new CopyOnWriteArrayList<>();
    private volatile Optional<Digest> broken = Optional.empty();

    private Shelf with(BusyboxImage busybox) {
      busybox.blobs().forEach((d, bytes) -> blobs.put(d.digest(), bytes));
      names.put(NAME, busybox.target());
      return this;
    }

    @Override
    public Descriptor resolve(String reference) {
      return Optional.ofNullable(names.get(reference))
          .orElseThrow(() -> new NotFoundException("image " + reference));
    }

    @Override
    public InputStream fetch(String reference, Descriptor descriptor, long offset) {
      fetched.add(descriptor.digest());
      if (broken.filter(descriptor.digest()::equals).isPresent()) {
        throw new UnavailableException("the line to " + reference);
      }
      byte[] bytes =
          damaged.getOrDefault(
              descriptor.digest(), blobs.getOrDefault(descriptor.digest(), new byte[0]));
      return new ByteArrayInputStream(
          bytes, Math.toIntExact(offset), bytes.length - Math.toIntExact(offset));
    }

    @Override
    public boolean push(String reference, Descriptor descriptor, Source source) {
      try (InputStream in = source.open()) {
        byte[] old = blobs.put(descriptor.digest(), in.readAllBytes());
        names.put(reference, descriptor);
        return old == null;
      } catch (IOException e) {
        throw new UnavailableException("source", e);
      }
    }

    @Override
    public List<String> tags(String reference) {
      return List.of();
    }
  }

  private static PulledImage pull(Containerd client) {
    return client.pull(new Shelf().with(image)).image(NAME);
  }

  @Test
  void the_daemon_tells_its_version_and_plugins() {
    assertThat(root.version().version()).startsWith("1.6.");
    assertThat(root.introspection().plugins(List.of("type==io.containerd.snapshotter.v1")))
        .extracting(p -> p.id())
        .contains("overlayfs", "native");
    assertThat(root.introspection().server().uuid()).isNotEmpty();
  }

  @Test
  void a_daemon_that_is_not_there_is_reported_in_time() {
    try (Containerd nobody = Containerd.connect(folder.resolve("nobody.sock").toString())) {
      assertThatThrownBy(() -> nobody.awaitReady(Duration.ofMillis(200)))
          .isInstanceOf(DeadlineExceededException.class);
      assertThatThrownBy(nobody::version).isInstanceOf(UnavailableException.class);
    }
    assertThatThrownBy(() -> Containerd.connect("tcp://host"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void a_namespace_is_needed_and_the_current_call_overrules_the_clients() {
    assertThatThrownBy(() -> root.images().list(List.of()))
        .isInstanceOf(FailedPreconditionException.class);
    Containerd client = fresh();
    assertThat(client.images().list(List.of())).isEmpty();
    Call.in(PREFIX + "other")
        .run(
            () ->
                client
                    .images()
                    .create(
                        new Image("x", image.target(), Map.of(), Instant.EPOCH, Instant.EPOCH),
                        Optional.empty()));
    assertThat(client.images().list(List.of())).isEmpty();
    assertThat(root.in(PREFIX + "other").images().find("x")).isPresent();
    root.in(PREFIX + "other").images().delete("x", Optional.empty(), true);
  }

  @Test
  void namespaces_have_labels() {
    var namespaces = root.namespaces();
    namespaces.create(new Namespace(PREFIX + "labels", Map.of("a", "b")));
    assertThatThrownBy(() -> namespaces.create(new Namespace(PREFIX + "labels", Map.of())))
        .isInstanceOf(AlreadyExistsException.class);
    namespaces.update(
        new Namespace(PREFIX + "labels", Map.of("c", "d")), new FieldMask(List.of("labels.c")));
    assertThat(namespaces.get(PREFIX + "labels").labels()).containsEntry("c", "d");
    assertThat(namespaces.list()).extracting(Namespace::name).contains(PREFIX + "labels");
    namespaces.delete(PREFIX + "labels");
    assertThatThrownBy(() -> namespaces.delete(PREFIX + "labels"))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void content_is_written_read_labelled_and_deleted() throws IOException {
    Containerd client = fresh();
    byte[] bytes = random(3_000_000);
    Digest digest = Digest.sha256(bytes);
    RemoteContentStore content = client.content();
    try (Ingest ingest =
        content.ingest(new IngestRequest("r", bytes.length, Optional.of(digest)))) {
      ingest.write(ByteBuffer.wrap(bytes, 0, 1_000));
      assertThat(content.status("r").offset()).isEqualTo(1_000);
      assertThatThrownBy(() -> content.ingest(new IngestRequest("r")))
          .isInstanceOf(UnavailableException.class);
    }
    try (Ingest ingest =
        content.ingest(new IngestRequest("r", bytes.length, Optional.of(digest)))) {
      assertThat(ingest.status().offset()).isEqualTo(1_000);
      ingest.write(ByteBuffer.wrap(bytes, 1_000, bytes.length - 1_000));
      assertThat(ingest.digest()).isEqualTo(digest);
      assertThat(ingest.commit(bytes.length, Optional.of(digest), Map.of("k", "v")))
          .isEqualTo(digest);
    }
    ContentInfo info = content.info(digest);
    assertThat(info.size()).isEqualTo(bytes.length);
    assertThat(info.labels()).containsEntry("k", "v");
    assertThat(content.readAll(digest, bytes.length)).isEqualTo(bytes);
    try (InputStream in = content.open(digest, 2_000_000)) {
      in.skipNBytes(999_999);
      assertThat(in.read()).isEqualTo(bytes[2_999_999] & 0xff);
      assertThat(in.read()).isEqualTo(-1);
    }
    try (ContentReader reader = content.reader(digest)) {
      ByteBuffer piece = ByteBuffer.allocate(10);
      assertThat(reader.read(piece, 5)).isEqualTo(10);
      assertThat(piece.array()).isEqualTo(Arrays.copyOfRange(bytes, 5, 15));
      assertThat(reader.read(ByteBuffer.allocate(1), bytes.length)).isEqualTo(-1);
    }
    List<Digest> seen = new ArrayList<>();
    content.walk(Filter.parse("labels.k==v"), i -> seen.add(i.digest()));
    content.list(List.of("labels.k==other"), i -> seen.add(i.digest()));
    assertThat(seen).containsExactly(digest);
    assertThatThrownBy(() -> content.ingest(new IngestRequest("again", 0, Optional.of(digest))))
        .isInstanceOf(AlreadyExistsException.class);
    content.delete(digest);
    assertThat(content.find(digest)).isEmpty();
    assertThatThrownBy(() -> content.delete(digest)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_wrong_digest_is_not_committed() {
    Containerd client = fresh();
    Digest expected = Digest.sha256(new byte[] {1});
    try (Ingest ingest = client.content().ingest(new IngestRequest("w"))) {
      ingest.write(ByteBuffer.wrap(new byte[] {2}));
      assertThatThrownBy(() -> ingest.commit(1, Optional.of(expected), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    client.content().abort("w");
    assertThatThrownBy(() -> client.content().status("w")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_lease_keeps_what_is_made_within_it_and_ends_with_its_handle() {
    Containerd client = fresh();
    byte[] bytes = random(100);
    try (LeaseHandle lease = client.leases().grant(Duration.ofMinutes(5))) {
      lease
          .call()
          .run(
              () -> {
                try (Ingest ingest = client.content().ingest(new IngestRequest("l"))) {
                  ingest.write(ByteBuffer.wrap(bytes));
                  ingest.commit(0, Optional.empty(), Map.of());
                }
              });
      assertThat(client.leases().listResources(lease.id()))
          .extracting(r -> r.id())
          .contains(Digest.sha256(bytes).toString());
      assertThat(client.leases().list(List.of("id==" + lease.id()))).hasSize(1);
    }
    assertThat(client.leases().list(Filter.ALL)).isEmpty();
  }

  @Test
  void an_image_is_pulled_unpacked_and_pulled_again_without_a_byte() {
    Containerd client = fresh();
    Shelf shelf = new Shelf().with(image);
    Map<String, List<Stage>> news = new ConcurrentHashMap<>();
    Progress.Listener listener =
        n -> news.computeIfAbsent(n.item(), _ -> new CopyOnWriteArrayList<>()).add(n.stage());

    PulledImage pulled = client.pull(shelf).listener(listener).image(NAME);

    assertThat(pulled.image().target()).isEqualTo(image.target());
    assertThat(pulled.manifest().layers()).hasSize(2);
    assertThat(client.snapshotter("").isCommitted(pulled.topSnapshot())).isTrue();
    assertThat(news.get(NAME)).containsExactly(Stage.RESOLVING, Stage.DONE);
    for (Descriptor layer : pulled.manifest().layers()) {
      assertThat(news.get(layer.digest().toString()))
          .containsSubsequence(
              Stage.WAITING, Stage.TRANSFERRING, Stage.TRANSFERRED, Stage.UNPACKED);
      assertThat(client.content().info(layer.digest()).labels())
          .containsKey("containerd.io/uncompressed")
          .containsEntry("containerd.io/distribution.source.registry.test", "busybox");
    }
    assertThat(client.content().info(pulled.manifest().config().digest()).labels())
        .containsEntry("containerd.io/gc.ref.snapshot.overlayfs", pulled.topSnapshot());
    assertThat(client.content().info(image.target().digest()).labels())
        .containsKeys(
            "containerd.io/gc.ref.content.config",
            "containerd.io/gc.ref.content.l.0",
            "containerd.io/gc.ref.content.l.1");
    assertThat(client.leases().list(Filter.ALL)).isEmpty();

    shelf.fetched.clear();
    collectGarbage(client);
    assertThat(client.pull(shelf).image(NAME).config()).isEqualTo(pulled.config());
    assertThat(shelf.fetched).isEmpty();
  }

  private static void collectGarbage(Containerd client) {
    client.leases().create("gc", Map.of());
    client.leases().delete("gc", true);
  }

  @Test
  void a_pull_that_fails_leaves_no_lease_and_no_half_snapshot_and_can_be_repeated()
      throws IOException, InterruptedException {
    Containerd client = fresh();
    BusyboxImage own = BusyboxImage.make(folder.resolve("image-fails"), "fails");
    Shelf shelf = new Shelf().with(own);
    Descriptor last = List.copyOf(own.blobs().keySet()).get(1);
    shelf.broken = Optional.of(last.digest());
    assertThatThrownBy(() -> client.pull(shelf).image(NAME))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("the line to");
    assertThat(client.leases().list(Filter.ALL)).isEmpty();
    List<String> active = new ArrayList<>();
    client.snapshotter("").list(List.of("kind==active"), s -> active.add(s.name()));
    assertThat(active).isEmpty();
    assertThat(client.images().find(NAME)).isEmpty();

    shelf.broken = Optional.empty();
    assertThat(client.pull(shelf).image(NAME).manifest().layers()).hasSize(2);
  }

  @Test
  void a_damaged_blob_is_refused_and_not_kept() throws IOException, InterruptedException {
    Containerd client = fresh();
    BusyboxImage own = BusyboxImage.make(folder.resolve("image-damaged"), "damaged");
    Shelf shelf = new Shelf().with(own);
    Descriptor layer = List.copyOf(own.blobs().keySet()).get(0);
    byte[] damaged = own.blobs().getOrDefault(layer, new byte[0]).clone();
    damaged[100] ^= 1;
    shelf.damaged.put(layer.digest(), damaged);
    assertThatThrownBy(() -> client.pull(shelf).image(NAME))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining(layer.digest() + " came damaged");
    shelf.damaged.clear();
    assertThat(client.pull(shelf).image(NAME).manifest().layers()).hasSize(2);
  }

  @Test
  void an_image_for_another_platform_is_refused_with_what_it_offers() {
    Containerd client = fresh();
    assertThatThrownBy(
            () ->
                client
                    .pull(new Shelf().with(image))
                    .platform(Platforms.parse("linux/s390x"))
                    .image(NAME))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("for platform linux/s390x; it offers linux/");
  }

  @Test
  void a_pulled_image_can_be_pushed() {
    Containerd client = fresh();
    pull(client);
    Shelf other = new Shelf();
    client.push(other).image(NAME, "elsewhere.test/copy:2");
    Map<Digest, byte[]> expected = new HashMap<>();
    image.blobs().forEach((d, bytes) -> expected.put(d.digest(), bytes));
    assertThat(other.blobs).containsOnlyKeys(expected.keySet());
    assertThat(other.names.get("elsewhere.test/copy:2"))
        .isNotNull()
        .extracting(Descriptor::digest)
        .isEqualTo(image.target().digest());
  }

  @Test
  void a_container_runs_prints_and_exits_with_its_code() throws Exception {
    Containerd client = fresh();
    PulledImage pulled = pull(client);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (EventSubscription events =
            client.events().subscribe(List.of("namespace==" + client.namespace()));
        ProcessIo io = ProcessIo.below(folder.resolve("io")).stdout(out).stderr(err).open()) {
      awaitShown(client, events);
      client
          .newContainer("c-client-run")
          .image(
              pulled,
              List.of(
                  "sh",
                  "-c",
                  "hostname; id -G web; id -u; echo $FROM_IMAGE $MORE; echo e >&2; exit 7"))
          .spec(
              SpecOptions.hostname("inside"),
              SpecOptions.env("MORE=too"),
              SpecOptions.user("web"),
              SpecOptions.memoryLimit(64 << 20),
              SpecOptions.pidsLimit(20))
          .create();
      Task task = client.task("c-client-run").create(io);
      assertThat(task.status().status()).isEqualTo(TaskStatus.CREATED);
      int pid = task.start();
      Exit exit = task.waitFor();
      assertThat(exit.status()).isEqualTo(7);
      io.drain(Duration.ofSeconds(60));
      assertThat(out.toString(UTF_8)).isEqualTo("inside\n34 50\n33\nyes too\n");
      assertThat(err.toString(UTF_8)).isEqualTo("e\n");
      assertThat(task.delete().pid()).isEqualTo(pid);
      client.deleteContainer("c-client-run");

      List<String> topics = new ArrayList<>();
      while (!topics.contains("/tasks/delete")) {
        Event event = events.next(Duration.ofSeconds(60)).orElseThrow();
        topics.add(event.topic());
        if (event.topic().equals("/tasks/exit")) {
          TaskExit payload =
              TypedValues.unpack(
                  event.payload(), TaskExit.getDescriptor().getFullName(), TaskExit.parser());
          assertThat(payload.getExitStatus()).isEqualTo(7);
        }
      }
      assertThat(topics)
          .containsSubsequence("/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete");
    }
    try (var left = Files.list(folder.resolve("io"))) {
      assertThat(left).isEmpty();
    }
  }

  /** A subscription begins a moment later, and nobody tells when. */
  private static void awaitShown(Containerd client, EventSubscription events)
      throws InterruptedException {
    Soon.until(
        "events are shown",
        () -> {
          client.events().publish("/begin", new TypedValue("none", new byte[0]));
          return events.next(Duration.ofMillis(200)).isPresent();
        });
  }

  @Test
  void a_running_container_is_asked_for_more_and_ended() throws Exception {
    Containerd client = fresh();
    PulledImage pulled = pull(client);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ProcessIo io = ProcessIo.below(folder.resolve("io")).open();
        ProcessIo execIo = ProcessIo.below(folder.resolve("io")).stdin().stdout(out).open()) {
      client
          .newContainer("c-client-long")
          .image(pulled, List.of("sleep", "1000"))
          .spec(SpecOptions.memoryLimit(64 << 20))
          .create();
      Task task = client.task("c-client-long").create(io);
      task.start();
      assertThat(task.pids()).hasSize(1);
      assertThat(task.metrics().data().typeName()).startsWith("io.containerd.cgroups.v");

      TaskProcessHandle exec = task.exec("e1", execIo, List.of("cat"));
      exec.start();
      try (OutputStream in = execIo.stdin()) {
        in.write("through the pipe".getBytes(UTF_8));
      }
      exec.closeStdin();
      assertThat(exec.waitFor().status()).isZero();
      execIo.drain(Duration.ofSeconds(60));
      assertThat(out.toString(UTF_8)).isEqualTo("through the pipe");
      exec.delete();

      task.pause();
      assertThat(task.status().status()).isEqualTo(TaskStatus.PAUSED);
      task.resume();
      assertThatThrownBy(task::delete).isInstanceOf(ContainerdException.class);
      assertThatThrownBy(() -> client.deleteContainer("c-client-long"))
          .isInstanceOf(FailedPreconditionException.class);
      assertThat(client.tasks().list())
          .extracting(p -> p.containerId())
          .containsExactly("c-client-long");
      assertThat(task.destroy().orElseThrow().status()).isEqualTo(137);
      assertThat(task.destroy()).isEmpty();
      client.deleteContainer("c-client-long");
    }
  }

  @Test
  void waiting_ends_by_interruption_and_the_process_lives_on() throws Exception {
    Containerd client = fresh();
    PulledImage pulled = pull(client);
    try (ProcessIo io = ProcessIo.below(folder.resolve("io")).open()) {
      client.newContainer("c-client-wait").image(pulled, List.of("sleep", "1000")).create();
      Task task = client.task("c-client-wait").create(io);
      task.start();
      CountDownLatch waiting = new CountDownLatch(1);
      List<String> ended = new CopyOnWriteArrayList<>();
      Thread waiter =
          Thread.ofVirtual()
              .start(
                  () -> {
                    waiting.countDown();
                    try {
                      task.waitFor();
                      ended.add("returned");
                    } catch (InterruptedException e) {
                      ended.add("interrupted");
                    }
                  });
      assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();
      waiter.interrupt();
      waiter.join();
      assertThat(ended).containsExactly("interrupted");
      assertThat(task.status().status()).isEqualTo(TaskStatus.RUNNING);
      task.destroy();
      client.deleteContainer("c-client-wait");
    }
  }

  @Test
  void a_container_that_cannot_be_made_leaves_no_snapshot() {
    Containerd client = fresh();
    PulledImage pulled = pull(client);
    assertThatThrownBy(
            () ->
                client
                    .newContainer("c-client-none")
                    .image(pulled, List.of())
                    .spec(SpecOptions.user("nobody"))
                    .create())
        .isInstanceOf(NotFoundException.class)
        .hasMessage("user nobody is not in the image's /etc/passwd");
    assertThat(client.snapshotter("").find("c-client-none")).isEmpty();
    assertThat(client.leases().list(Filter.ALL)).isEmpty();
    assertThatThrownBy(() -> client.containers().get("c-client-none"))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_program_that_is_not_there_is_told_in_the_runtimes_words() throws Exception {
    Containerd client = fresh();
    PulledImage pulled = pull(client);
    try (ProcessIo io = ProcessIo.below(folder.resolve("io")).open()) {
      client.newContainer("c-client-prog").image(pulled, List.of("/no/such")).create();
      Task task = client.task("c-client-prog");
      assertThatThrownBy(() -> task.create(io))
          .isInstanceOf(ContainerdException.class)
          .hasMessageContaining("/no/such")
          .hasMessageContaining("no such file or directory");
      client.deleteContainer("c-client-prog");
    }
  }
}
