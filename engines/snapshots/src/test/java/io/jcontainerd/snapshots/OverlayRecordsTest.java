package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.SnapshotterContract;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init")
class OverlayRecordsTest extends SnapshotterContract {
  private static final String IDS = Bench.ROOT + "/snapshots/";

  @TempDir Path folder;
  private Bench bench;

  @BeforeEach
  void start() {
    bench = new Bench(folder);
  }

  @AfterEach
  void stop() {
    bench.close();
  }

  @Override
  protected Snapshotter open() {
    return open(Bench.SUPPORT, OverlaySnapshotter.Options.DEFAULTS);
  }

  private Snapshotter open(OverlaySupport support, OverlaySnapshotter.Options options) {
    return OverlaySnapshotter.open(Bench.ROOT, bench.environment(), support, options);
  }

  private static Snapshotter threeLayers(Snapshotter snapshotter) {
    layer(snapshotter, "one", "");
    layer(snapshotter, "two", "one");
    layer(snapshotter, "three", "two");
    return snapshotter;
  }

  @Test
  void mounts_are_those_of_containerd() {
    Snapshotter snapshotter = open();
    assertThat(prepare(snapshotter, "base", ""))
        .containsExactly(new Mount("bind", IDS + "1/fs", List.of("rw", "rbind")));
    commit(snapshotter, "one", "base");
    assertThat(snapshotter.view("empty", "", Map.of()))
        .containsExactly(new Mount("bind", IDS + "2/fs", List.of("ro", "rbind")));
    assertThat(snapshotter.view("single", "one", Map.of()))
        .containsExactly(new Mount("bind", IDS + "1/fs", List.of("ro", "rbind")));
    layer(snapshotter, "two", "one");
    layer(snapshotter, "three", "two");
    assertThat(snapshotter.view("view", "three", Map.of()))
        .containsExactly(
            new Mount(
                "overlay",
                "overlay",
                List.of("lowerdir=%s5/fs:%s4/fs:%s1/fs".formatted(IDS, IDS, IDS), "index=off")));
    assertThat(prepare(snapshotter, "active", "three"))
        .containsExactly(
            new Mount(
                "overlay",
                "overlay",
                List.of(
                    "workdir=" + IDS + "7/work",
                    "upperdir=" + IDS + "7/fs",
                    "lowerdir=%s5/fs:%s4/fs:%s1/fs".formatted(IDS, IDS, IDS),
                    "index=off")));
  }

  @Test
  void an_active_snapshot_on_one_layer_is_an_overlay() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "one", "");
    assertThat(prepare(snapshotter, "active", "one").getFirst().type()).isEqualTo("overlay");
  }

  @Test
  void configured_options_come_before_our_own_and_replace_them() {
    var options =
        new OverlaySnapshotter.Options(List.of("metacopy=on", "index=on"), false, false, true);
    Snapshotter snapshotter =
        threeLayers(open(new OverlaySupport(true, true, true, false), options));
    assertThat(snapshotter.view("view", "two", Map.of()).getFirst().options())
        .containsExactly(
            "lowerdir=%s2/fs:%s1/fs".formatted(IDS, IDS), "metacopy=on", "index=on", "userxattr");
    assertThat(snapshotter.capabilities()).isEmpty();
    assertThat(snapshotter.view("bind", "", Map.of()).getFirst().options())
        .containsExactly("ro", "rbind");
  }

  @Test
  void mapped_ids_are_first_among_the_options_and_own_the_upper_folder() throws Exception {
    Snapshotter snapshotter = threeLayers(open());
    var labels =
        Map.of(
            "containerd.io/snapshot/uidmapping", "0:100000:65536",
            "containerd.io/snapshot/gidmapping", "1:5:1,0:200000:65536");
    var prepared = (Prepared.Writable) snapshotter.prepare("mapped", "three", labels);
    assertThat(prepared.mounts().getFirst().options())
        .startsWith(
            "uidmap=0:100000:65536", "gidmap=1:5:1,0:200000:65536", "workdir=" + IDS + "4/work");
    var upper = bench.files.stat(Bench.ROOT.resolve("snapshots/4/fs")).orElseThrow();
    assertThat(upper.uid()).isEqualTo(100000);
    assertThat(upper.gid()).isEqualTo(200000);
    assertThat(snapshotter.mounts("mapped")).isEqualTo(prepared.mounts());
    assertThat(snapshotter.view("alone", "", labels).getFirst().options())
        .containsExactly("uidmap=0:100000:65536", "gidmap=1:5:1,0:200000:65536", "ro", "rbind");
    assertThatThrownBy(
            () ->
                snapshotter.view(
                    "half", "", Map.of("containerd.io/snapshot/uidmapping", "0:100000:65536")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("together");
    assertThat(snapshotter.capabilities())
        .containsExactlyInAnyOrder("rebase", "remap-ids", "only-remap-ids");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0:1", "0:1:0", "0:x:1", "1:1000:5", "0:4294967295:2", "0:1:1,"})
  void a_mapping_that_makes_no_sense_is_refused_and_leaves_nothing(String mapping) {
    Snapshotter snapshotter = open();
    assertThatThrownBy(
            () ->
                snapshotter.prepare(
                    "mapped", "", Map.of("containerd.io/snapshot/uidmapping", mapping)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("uidmapping");
    assertThat(bench.files.tree()).noneMatch(path -> path.matches(".*/snapshots/[0-9]+/"));
  }

  @Test
  void the_upper_folder_takes_owner_and_mode_of_the_layer_below() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "base", "");
    Path upper = Bench.ROOT.resolve("snapshots/1/fs");
    bench.files.setOwner(upper, 7, 8);
    bench.files.setMode(upper, 01711);
    commit(snapshotter, "one", "base");
    prepare(snapshotter, "active", "one");
    var stat = bench.files.stat(Bench.ROOT.resolve("snapshots/2/fs")).orElseThrow();
    assertThat(List.of(stat.uid(), stat.gid(), stat.mode())).containsExactly(7, 8, 01711);
  }

  @Test
  void only_active_snapshots_have_a_work_folder() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    snapshotter.view("view", "", Map.of());
    assertThat(bench.files.tree())
        .contains(IDS + "1/fs/", IDS + "1/work/", IDS + "2/fs/")
        .doesNotContain(IDS + "2/work/");
  }

  @Test
  void the_upper_folder_is_told_if_asked_for() {
    Snapshotter snapshotter =
        open(Bench.SUPPORT, new OverlaySnapshotter.Options(List.of(), true, false, false));
    prepare(snapshotter, "active", "");
    String label = OverlaySnapshotter.UPPERDIR_LABEL;
    assertThat(snapshotter.stat("active").labels()).containsEntry(label, IDS + "1/fs");
    snapshotter.walk(
        io.jcontainerd.core.filter.Filter.ALL,
        info -> assertThat(info.labels()).containsEntry(label, IDS + "1/fs"));
    assertThat(open().stat("active").labels()).isEmpty();
    assertThat(snapshotter.exports()).containsEntry("root", Bench.ROOT.toString());
  }

  @Test
  void removed_folders_go_with_the_next_clean_up_or_at_once() {
    Snapshotter later = threeLayers(open());
    later.remove("three");
    assertThat(bench.files.tree()).contains(IDS + "3/fs/");
    later.cleanup();
    assertThat(bench.files.tree()).doesNotContain(IDS + "3/").contains(IDS + "2/fs/");
    later.cleanup();

    Snapshotter atOnce =
        open(Bench.SUPPORT, new OverlaySnapshotter.Options(List.of(), false, true, false));
    atOnce.remove("two");
    assertThat(bench.files.tree()).doesNotContain(IDS + "2/");
  }

  @Test
  void ids_are_not_given_out_again() {
    Snapshotter snapshotter = threeLayers(open());
    snapshotter.remove("three");
    snapshotter.cleanup();
    Snapshotter again = open();
    prepare(again, "active", "two");
    assertThat(bench.files.tree()).contains(IDS + "4/fs/");
  }

  @Test
  void folders_of_a_dead_process_go_with_the_next_clean_up() throws Exception {
    Snapshotter snapshotter = threeLayers(open());
    bench.files.createDirectories(Bench.ROOT.resolve("snapshots/77/fs"), 0755);
    bench.files.createDirectories(Bench.ROOT.resolve("snapshots/new-1234/fs"), 0755);
    Snapshotter again = open();
    prepare(again, "active", "three");
    assertThat(bench.files.tree()).contains(IDS + "78/fs/", IDS + "77/fs/");
    again.cleanup();
    assertThat(bench.files.tree())
        .contains(IDS + "78/fs/", IDS + "1/fs/")
        .doesNotContain(IDS + "77/", IDS + "new-1234/");
    assertThat(snapshotter.stat("three").parent()).isEqualTo("two");
  }

  @Test
  void a_folder_that_cannot_be_deleted_does_not_hold_up_the_others() throws Exception {
    Snapshotter first = threeLayers(open());
    first.remove("three");
    for (String orphan : java.util.List.of("66", "77", "new-1234", "rm-5")) {
      bench.files.createDirectories(Bench.ROOT.resolve("snapshots/" + orphan + "/fs"), 0755);
    }
    Files stubborn =
        (Files)
            Proxy.newProxyInstance(
                Files.class.getClassLoader(),
                new Class<?>[] {Files.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("deleteTree")
                      && (arguments[0].toString().endsWith("/3")
                          || arguments[0].toString().endsWith("/66"))) {
                    throw new FileSystemException(arguments[0].toString(), null, "immutable");
                  }
                  try {
                    return method.invoke(bench.files, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getTargetException();
                  }
                });
    Snapshotter snapshotter =
        OverlaySnapshotter.open(
            Bench.ROOT,
            bench.environment(stubborn, bench.kernel),
            Bench.SUPPORT,
            OverlaySnapshotter.Options.DEFAULTS);
    assertThatThrownBy(snapshotter::cleanup)
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("immutable");
    assertThat(bench.files.tree())
        .contains(IDS + "3/", IDS + "66/")
        .doesNotContain(IDS + "77/", IDS + "new-1234/", IDS + "rm-5/");
  }

  @Test
  void a_committed_snapshot_is_durable_and_an_active_one_can_be_mounted_after_a_power_cut()
      throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "base", "");
    Path file = Bench.ROOT.resolve("snapshots/1/fs/file");
    try (var handle = bench.files.open(file, Files.Open.CREATE, 0644)) {
      handle.write(StandardCharsets.UTF_8.encode("bytes"), 0);
    }
    commit(snapshotter, "one", "base");
    prepare(snapshotter, "active", "one");
    var after = bench.files.afterPowerCut(io.jcontainerd.testkit.files.Survival.ONLY_FORCED);
    assertThat(after.readAll(file)).isEqualTo("bytes".getBytes(StandardCharsets.UTF_8));
    assertThat(after.tree()).doesNotContain(IDS + "2/fs/");
    bench.close();
    bench = new Bench(folder, after);
    assertThat(open().mounts("active").getFirst().options()).contains("upperdir=" + IDS + "2/fs");
    assertThat(after.tree()).contains(IDS + "2/fs/", IDS + "2/work/");
  }

  @Test
  void usage_is_recorded_at_the_commit() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "base", "");
    long before = snapshotter.usage("base").size();
    bench.files.writeAll(Bench.ROOT.resolve("snapshots/1/fs/file"), new byte[5000], 0644);
    assertThat(snapshotter.usage("base").size() - before).isEqualTo(8192);
    assertThat(snapshotter.usage("base").inodes()).isEqualTo(2);
    commit(snapshotter, "one", "base");
    bench.files.deleteTree(Bench.ROOT.resolve("snapshots/1/fs/file"));
    assertThat(snapshotter.usage("one").size() - before).isEqualTo(8192);
  }
}
