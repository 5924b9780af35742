package io.jcontainerd.crash.faults;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.crash.faults.FaultScenario.Kind;
import io.jcontainerd.crash.faults.FaultScenario.Step;
import io.jcontainerd.crash.states.Scenarios;
import io.jcontainerd.crash.world.AppImage;
import io.jcontainerd.crash.world.Client;
import io.jcontainerd.crash.world.Client.Naming;
import io.jcontainerd.crash.world.World;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is tried with every call failing. */
final class FaultScenarios {
  private static final AppImage SMALL = Scenarios.SMALL;
  private static final AppImage APP = Scenarios.APP;
  private static final String OVERLAY = "overlayfs";
  private static final String NATIVE = "native";
  private static final byte[] BYTES = "x".repeat(2500).getBytes(StandardCharsets.US_ASCII);
  private static final Digest DIGEST = Digest.sha256(BYTES);
  private static final Map<String, String> MAPPED =
      Map.of(
          "containerd.io/snapshot/uidmapping", "0:1000:10",
          "containerd.io/snapshot/gidmapping", "0:1000:10");
  private static final Map<String, String> ROOTED = Map.of("containerd.io/gc.root", "yes");
  private static final String EXTRACT = "extract-1-x sha256:" + "0".repeat(64);
  private static final Step NOTHING = _ -> {};

  private final List<FaultScenario> all = new ArrayList<>();

  private FaultScenarios() {}

  /**
   * All of them.
   *
   * @param scratch for those that need folders of this machine
   */
  static List<FaultScenario> all(Path scratch) throws IOException {
    FaultScenarios scenarios = new FaultScenarios();
    scenarios.starts();
    scenarios.content();
    for (String snapshotter : List.of(OVERLAY, NATIVE)) {
      scenarios.snapshots(snapshotter);
      scenarios.images(snapshotter);
    }
    scenarios.all.addAll(LayerScenarios.all(scratch));
    return List.copyOf(scenarios.all);
  }

  /** One call of the API. */
  private void call(String name, Step before, Step action) {
    all.add(new FaultScenario(name, before, action, Kind.ONE_CALL));
  }

  /** Several calls. */
  private void calls(String name, Step before, Step action) {
    all.add(new FaultScenario(name, before, action, Kind.SEVERAL_CALLS));
  }

  private static Client client(World world) {
    return new Client(world, "ns", "run", _ -> {});
  }

  static Step in(String namespace, Step step) {
    return world ->
        Call.in(namespace)
            .call(
                () -> {
                  step.in(world);
                  return true;
                });
  }

  private static Step in(Step step) {
    return in("ns", step);
  }

  private static Step both(Step... steps) {
    return world -> {
      for (Step step : steps) {
        step.in(world);
      }
    };
  }

  // ---- the start ----

  private void starts() {
    start("start on nothing", NOTHING);
    start(
        "start on images",
        both(
            w -> client(w).pull(SMALL, OVERLAY, Naming.BEFORE_UNPACKING),
            w -> client(w).pull(SMALL, NATIVE, Naming.BEFORE_UNPACKING)));
    start(
        "start on what a killed daemon left",
        both(
            write(1000),
            w -> client(w).leased(() -> client(w).fetch(SMALL)),
            in(w -> client(w).unpackLayers(SMALL, OVERLAY)),
            w -> {
              Path ingests = World.ROOT.resolve("content/ingest");
              w.files().createDirectory(ingests.resolve(".new-half-made"), 0755);
              w.files().createDirectory(ingests.resolve("without-ref"), 0755);
              for (String name : w.files().list(ingests)) {
                w.files().writeAll(ingests.resolve(name).resolve(".total.new"), BYTES, 0644);
              }
            }));
  }

  private void start(String name, Step before) {
    all.add(new FaultScenario(name, before, NOTHING, Kind.START));
  }

  // ---- blobs ----

  private static Step write(int until) {
    return in(world -> client(world).write(DIGEST, BYTES, until));
  }

  private static Ingest ingest(World world, String ref, Optional<Digest> expected) {
    return world.metadata().content().ingest(new IngestRequest(ref, 0, expected));
  }

  /** Commits an ingest that nobody said the digest of; done again it is found done. */
  private static void commit(World world, String ref) {
    if (world.metadata().content().find(DIGEST).isPresent()) {
      return;
    }
    try (Ingest ingest = ingest(world, ref, Optional.empty())) {
      int at = (int) ingest.status().offset();
      ingest.write(ByteBuffer.wrap(BYTES, at, BYTES.length - at));
      Digest _ = ingest.commit(BYTES.length, Optional.of(DIGEST), ROOTED);
    } catch (AlreadyExistsException _) {
      // It had come that far.
    }
  }

  private static void writeUnnamed(World world, String ref) {
    try (Ingest ingest = ingest(world, ref, Optional.empty())) {
      ingest.write(ByteBuffer.wrap(BYTES));
    }
  }

  private static void read(World world) {
    try (ContentReader reader = world.metadata().content().reader(DIGEST)) {
      ByteBuffer all = ByteBuffer.allocate(BYTES.length);
      boolean more = true;
      while (more && all.hasRemaining()) {
        more = reader.read(all, all.position()) > 0;
      }
    }
  }

  private void content() {
    call("begin an ingest", NOTHING, write(0));
    call("begin an ingest whose size is known", NOTHING, in(this::sized));
    calls("write a part of an ingest", NOTHING, write(1000));
    calls("resume an ingest", write(1000), write(2000));
    calls("write a blob", NOTHING, write(BYTES.length));
    calls("resume an ingest and commit it", write(1000), write(BYTES.length));
    call("commit an ingest", in(w -> writeUnnamed(w, "r")), in(w -> commit(w, "r")));
    call(
        "commit an ingest whose blob is there",
        both(write(BYTES.length), in("second", w -> writeUnnamed(w, "r"))),
        in("second", w -> commit(w, "r")));
    calls(
        "share a blob of another namespace",
        write(BYTES.length),
        in("second", w -> client(w).write(DIGEST, BYTES, BYTES.length)));
    calls("copy a shared blob to go on from it", write(BYTES.length), in("second", this::extend));
    calls("start an ingest over", write(1000), in(this::startOver));
    call(
        "give an ingest up",
        write(1000),
        in(w -> gone(() -> w.metadata().content().abort("layer-" + DIGEST))));
    Step rooted =
        in(
            world -> {
              writeUnnamed(world, "r");
              commit(world, "r");
            });
    call("read a blob", rooted, in(FaultScenarios::read));
    call(
        "status of an ingest",
        write(1000),
        in(w -> w.metadata().content().status("layer-" + DIGEST)));
    call("list ingests", write(1000), in(w -> w.metadata().content().statuses(Filter.ALL)));
    calls(
        "remove a blob and collect",
        write(BYTES.length),
        in(
            world -> {
              gone(() -> world.metadata().content().delete(DIGEST));
              client(world).collect();
            }));
    calls(
        "collect an ingest without row",
        write(1000),
        world -> {
          world.store().change(tx -> tx.update("DELETE FROM ingests"));
          client(world).collect();
        });
  }

  private void sized(World world) {
    try (Ingest ingest =
        world.metadata().content().ingest(new IngestRequest("sized", 99, Optional.empty()))) {
      ingest.status();
    }
  }

  private void extend(World world) {
    try (Ingest ingest = ingest(world, "longer", Optional.of(DIGEST))) {
      ingest.write(ByteBuffer.wrap(BYTES, 0, 10));
    }
  }

  private void startOver(World world) {
    try (Ingest ingest = ingest(world, "layer-" + DIGEST, Optional.of(DIGEST))) {
      ingest.truncate(0);
      ingest.write(ByteBuffer.wrap(BYTES, 0, 700));
    }
  }

  private static void gone(Runnable removal) {
    try {
      removal.run();
    } catch (NotFoundException _) {
      // It had come that far.
    }
  }

  // ---- snapshots ----

  private static Snapshotter of(World world, String name) {
    return world.metadata().snapshotter(name);
  }

  private static void prepare(World world, String name, String key, String parent) {
    prepare(world, name, key, parent, Map.of());
  }

  private static void prepare(
      World world, String name, String key, String parent, Map<String, String> labels) {
    try {
      Prepared _ = of(world, name).prepare(key, parent, labels);
    } catch (AlreadyExistsException _) {
      // It had come that far.
    }
  }

  private static void commit(World world, String name, String to, String key, String parent) {
    try {
      of(world, name).commit(to, key, Map.of("containerd.io/gc.root", "yes"), parent);
    } catch (AlreadyExistsException | NotFoundException _) {
      SnapshotInfo _ = of(world, name).stat(to); // it had come that far
    }
  }

  private static Step base(String name) {
    return in(
        world -> {
          prepare(world, name, "a", "");
          Path top = Path.of(of(world, name).mounts("a").getFirst().source());
          world.files().createDirectory(top.resolve("etc"), 0755);
          world.files().writeAll(top.resolve("etc/passwd"), BYTES, 0644);
          commit(world, name, "base", "a", "");
          of(world, name).makeDurable();
        });
  }

  private void snapshots(String name) {
    Step base = base(name);
    Step active = both(base, in(w -> prepare(w, name, "key", "base", ROOTED)));
    call(name + ": prepare on nothing", NOTHING, in(w -> prepare(w, name, "key", "", ROOTED)));
    call(name + ": prepare", base, in(w -> prepare(w, name, "key", "base", ROOTED)));
    call(
        name + ": prepare for a user namespace",
        base,
        in(w -> prepare(w, name, "key", "base", mapped())));
    call(name + ": view", base, in(w -> view(w, name, "base")));
    call(name + ": mounts", active, in(w -> mounts(w, name)));
    call(name + ": commit", active, in(w -> commit(w, name, "name", "key", "")));
    call(
        name + ": commit what was unpacked",
        both(base, in(w -> prepare(w, name, EXTRACT, "base", ROOTED))),
        in(w -> commit(w, name, "name", EXTRACT, "")));
    calls(
        name + ": make durable",
        both(base, in(w -> layer(w, name))),
        in(w -> of(w, name).makeDurable()));
    calls(
        name + ": view of what is provisional",
        base,
        in(
            world -> {
              layer(world, name);
              view(world, name, "layer");
            }));
    call(name + ": usage", active, in(w -> usage(w, name)));
    call(name + ": list", active, in(w -> of(w, name).walk(Filter.ALL, _ -> {})));
    call(
        name + ": remove an active snapshot",
        active,
        in(w -> gone(() -> of(w, name).remove("key"))));
    calls(
        name + ": remove a committed snapshot, clean up",
        base,
        in(
            world -> {
              gone(() -> of(world, name).remove("base"));
              client(world).collect();
              of(world, name).cleanup();
            }));
    if (name.equals(OVERLAY)) {
      call(
          name + ": commit onto another parent",
          both(base, in(w -> prepare(w, name, "key", "", ROOTED))),
          in(w -> commit(w, name, "name", "key", "base")));
      call(
          name + ": mounts of what a power cut took",
          both(active, in(w -> w.files().deleteTree(upper(w).resolveSibling("work")))),
          in(w -> mounts(w, name)));
    }
  }

  private static Map<String, String> mapped() {
    Map<String, String> labels = new HashMap<>(MAPPED);
    labels.putAll(ROOTED);
    return labels;
  }

  private static Path upper(World world) {
    List<Mount> mounts = of(world, OVERLAY).mounts("key");
    return mounts.getFirst().options().stream()
        .filter(option -> option.startsWith("upperdir="))
        .map(option -> Path.of(option.substring("upperdir=".length())))
        .findFirst()
        .orElseThrow();
  }

  /** A layer that is provisional, if there is none yet. */
  private static void layer(World world, String name) {
    prepare(world, name, EXTRACT, "base", ROOTED);
    commit(world, name, "layer", EXTRACT, "");
  }

  private static void view(World world, String name, String parent) {
    try {
      List<Mount> _ = of(world, name).view("view", parent, ROOTED);
    } catch (AlreadyExistsException _) {
      // It had come that far.
    }
  }

  private static void mounts(World world, String name) {
    List<Mount> _ = of(world, name).mounts("key");
  }

  private static void usage(World world, String name) {
    Usage _ = of(world, name).usage("key");
  }

  // ---- images ----

  private void images(String name) {
    Step fetched =
        world ->
            client(world)
                .leased(
                    () -> {
                      client(world).fetch(SMALL);
                      client(world).name(SMALL);
                    });
    Step pulled = world -> client(world).pull(SMALL, name, Naming.BEFORE_UNPACKING);
    calls(name + ": pull", NOTHING, w -> client(w).pull(APP, name, Naming.AFTER_UNPACKING));
    calls(
        name + ": pull beside an image that shares layers",
        w -> client(w).pull(APP, name, Naming.BEFORE_UNPACKING),
        w -> client(w).pull(Scenarios.SIBLING, name, Naming.BEFORE_UNPACKING));
    calls(name + ": unpack", fetched, w -> client(w).leased(() -> client(w).unpack(SMALL, name)));
    calls(
        name + ": say that an image is unpacked",
        both(fetched, w -> client(w).leased(() -> client(w).unpackLayers(SMALL, name))),
        w -> client(w).leased(() -> client(w).unpack(SMALL, name)));
    Step provisional =
        both(fetched, w -> client(w).leased(() -> client(w).unpackLayers(SMALL, name)));
    calls(
        name + ": name an image whose layers are provisional",
        provisional,
        in(w -> client(w).name(SMALL)));
    calls(
        name + ": remove an image",
        pulled,
        w -> {
          gone(() -> client(w).removeName(SMALL, List.of(), List.of(name)));
          client(w).collect();
        });
    calls(name + ": run a container", pulled, w -> client(w).run(fresh(w), SMALL, name));
    calls(
        name + ": run a container on layers that are provisional",
        provisional,
        world ->
            client(world)
                .leased(
                    () -> {
                      client(world).unpackLayers(SMALL, name);
                      client(world).run(fresh(world), SMALL, name);
                    }));
  }

  /** An id that no container has. */
  private static String fresh(World world) {
    return "c" + world.store().read(tx -> tx.number("SELECT max(id) FROM backend_snapshots"));
  }
}
