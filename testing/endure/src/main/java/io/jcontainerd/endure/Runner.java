package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.RemoteSnapshotter;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.endure.Gate.Session;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.runtime.DefaultSpec;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.oci.runtime.SpecContext;
import io.jcontainerd.oci.runtime.SpecOption;
import io.jcontainerd.oci.runtime.SpecOptions;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Runs containers, short ones and such that run until somebody ends them, and deletes them. */
final class Runner extends Worker {
  static final String SNAPSHOTTER = "overlayfs";
  private static final int MOST = 3;
  private static final int SIGKILL = 9;
  private static final int STATUS_OF_KILLED = 137;

  /** A container that somebody has begun to remove. */
  private static final String GOING = "going";

  /** In place of an exit status: it runs until it is killed. */
  static final String KEPT = "kept";

  /** Likewise, and somebody has begun to kill it. */
  static final String KILLED = "killed";

  private final Model model;
  private final String namespace;
  private final SplittableRandom random;
  private final Pulling pulling;

  /**
   * @param namespace of its own, whose name is in the cgroups' paths
   */
  Runner(String namespace, Tools tools) {
    super("runner", tools.gate(), tools.ledger(), tools.problems());
    this.model = tools.model();
    this.namespace = namespace;
    this.random = new SplittableRandom(model.seed() + 99);
    this.pulling = new Pulling(ledger, model, namespace, random);
  }

  @Override
  String next() {
    if (!ledger.known(Keys.unpacked(namespace, Model.APP, SNAPSHOTTER)).surely("yes")) {
      return "pull " + Model.APP + " " + SNAPSHOTTER + " app";
    }
    List<String> running = new ArrayList<>();
    ledger.under(Keys.task(namespace, "")).keySet().forEach(key -> running.add(Keys.part(key, 2)));
    if (!running.isEmpty() && (running.size() >= MOST || random.nextInt(3) == 0)) {
      return "end " + running.get(random.nextInt(running.size()));
    }
    String id = "c" + Long.toHexString(random.nextLong() >>> 16);
    return random.nextBoolean()
        ? "keep " + id
        : "short " + id + " " + random.nextInt(100) + " 0." + random.nextInt(10);
  }

  @Override
  void carryOut(Session session, String[] words) throws IOException, InterruptedException {
    Containerd client = session.client().in(namespace);
    switch (words[0]) {
      case "pull" -> pulling.pull(client, Model.APP, words[2], words[3]);
      case "keep" -> start(client, words[1], List.of("sleep", "100000"), KEPT);
      case "short" -> {
        String script = "sleep " + words[3] + "; exit " + words[2];
        start(client, words[1], List.of("sh", "-c", script), words[2]);
        end(client, words[1]);
      }
      case "end" -> end(client, words[1]);
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  private void start(Containerd client, String id, List<String> args, String status)
      throws InterruptedException {
    if (!ledger.known(Keys.task(namespace, id)).value().isEmpty()) {
      return; // an earlier attempt did it
    }
    String container = ledger.known(Keys.container(namespace, id)).value();
    if (container.equals(GOING)) {
      return; // an earlier attempt came further than that
    }
    Leasing leasing = new Leasing(ledger, namespace, "run-" + id);
    if (container.isEmpty()) {
      create(client, id, args, leasing);
    }
    if (!ledger.known(Keys.lease(namespace, leasing.id())).value().isEmpty()) {
      leasing.giveBack(client, false);
    }
    TaskProcess task = task(client, id);
    if (task.status() == TaskStatus.CREATED) {
      String key = Keys.task(namespace, id);
      ledger.promise(key, task.pid() + " " + status, () -> startOnce(client, id));
    } else {
      ledger.settle(Keys.task(namespace, id), task.pid() + " " + status);
    }
  }

  private static void startOnce(Containerd client, String id) {
    try {
      client.tasks().start(id, "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private void create(Containerd client, String id, List<String> args, Leasing leasing) {
    leasing.take(client);
    ModelImage image = model.image(Model.APP);
    Call.in(namespace)
        .withLease(leasing.id())
        .run(
            () -> {
              RemoteSnapshotter snapshots = client.snapshotter(SNAPSHOTTER);
              try {
                snapshots.prepare(id, image.top(), Map.of());
              } catch (AlreadyExistsException _) {
                // an earlier attempt did it
              }
              ledger.promise(
                  Keys.container(namespace, id),
                  "there",
                  () -> client.containers().create(container(image, id, args)));
            });
  }

  private Container container(ModelImage image, String id, List<String> args) {
    SpecContext context = SpecContext.of(namespace, id);
    Spec spec =
        SpecOption.all(
                List.of(
                    SpecOptions.image(ImageConfig.parse(image.config().bytes()), args),
                    SpecOptions.cgroupsPath("/" + namespace + "/" + id)))
            .apply(DefaultSpec.linux(context), context);
    return new Container(
        id,
        Map.of(),
        "img-" + Model.APP,
        new Container.Runtime(Containerd.DEFAULT_RUNTIME, Optional.empty()),
        Optional.of(new TypedValue(Spec.TYPE_URL, spec.toBytes())),
        SNAPSHOTTER,
        id,
        Map.of(),
        "",
        Instant.EPOCH,
        Instant.EPOCH);
  }

  /** The container's task, which is made if there is none. */
  private TaskProcess task(Containerd client, String id) throws InterruptedException {
    try {
      TaskProcess there = client.tasks().get(id, "");
      if (there.status() != TaskStatus.UNKNOWN) {
        return there;
      }
    } catch (NotFoundException _) {
      // to be made
    }
    Container container = client.containers().get(id);
    client
        .tasks()
        .create(
            new CreateTask(
                container,
                client.snapshotter(SNAPSHOTTER).mounts(id),
                Stdio.NONE,
                Optional.empty(),
                "",
                "",
                "",
                0));
    return client.tasks().get(id, "");
  }

  private void end(Containerd client, String id) throws InterruptedException {
    String key = Keys.task(namespace, id);
    String known = ledger.known(key).value();
    if (!known.isEmpty()) {
      String[] words = known.split(" ", -1);
      if (words[1].equals(KEPT) || words[1].equals(KILLED)) {
        ledger.settle(key, words[0] + " " + KILLED);
        kill(client, id);
      }
      Exit exit = client.tasks().waitFor(id, "");
      int wanted = exitStatus(words[1]);
      if (exit.status() != wanted) {
        throw new FailedPreconditionException(
            "container " + id + " ended with " + exit.status() + ", not " + wanted);
      }
      ledger.settle(Keys.container(namespace, id), GOING);
      ledger.begin(key, "");
      client.tasks().delete(id);
      ledger.done(key);
    }
    remove(client, id);
  }

  private static void kill(Containerd client, String id) throws InterruptedException {
    try {
      client.tasks().kill(id, "", SIGKILL, false);
    } catch (NotFoundException | FailedPreconditionException _) {
      // an earlier attempt ended it
    }
  }

  /** With which status a task ends by itself or by the signal that it was sent. */
  static int exitStatus(String word) {
    return word.equals(KEPT) || word.equals(KILLED) ? STATUS_OF_KILLED : Integer.parseInt(word);
  }

  private void remove(Containerd client, String id) {
    String key = Keys.container(namespace, id);
    if (ledger.known(key).value().isEmpty()) {
      return;
    }
    ledger.begin(key, "");
    try {
      client.snapshotter(SNAPSHOTTER).remove(id);
    } catch (NotFoundException _) {
      // an earlier attempt did it
    }
    client.containers().delete(id);
    ledger.done(key);
  }
}
