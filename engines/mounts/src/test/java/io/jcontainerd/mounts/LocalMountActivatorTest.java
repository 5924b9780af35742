package io.jcontainerd.mounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.testkit.disk.LoopDisk;
import io.jcontainerd.testkit.leaks.LeakCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@SuppressWarnings("NullAway.Init")
class LocalMountActivatorTest {
  private static final Mount TMPFS = new Mount("tmpfs", "tmpfs", List.of());

  @TempDir Path folder;
  private LinuxKernel kernel;
  private LinuxProcesses processes;
  private LocalMountActivator activator;
  private LeakCheck leaks;

  @BeforeEach
  void start() throws Exception {
    Files.createDirectory(folder.resolve("root"));
    kernel = new LinuxKernel(folder.resolve("temporary"));
    processes = LinuxProcesses.open();
    activator = open();
    leaks = LeakCheck.begin(folder, "");
  }

  private LocalMountActivator open() {
    var files = new LinuxFiles();
    return LocalMountActivator.open(
        folder.resolve("t"),
        List.of(folder.resolve("root")),
        new LocalMountActivator.Ports(files, kernel, processes, Time.SYSTEM),
        List.of(new ErofsHandler(files, kernel), new LoopHandler()));
  }

  /** After a failure as after an end, nothing is left. */
  @AfterEach
  void stop() throws Exception {
    for (long id : activator.ids()) {
      activator.deactivate(id);
    }
    processes.close();
    try (var made = Files.newDirectoryStream(folder.resolve("root"))) {
      for (Path file : made) {
        Files.delete(file);
      }
    }
    leaks.assertNothingLeft();
  }

  private String root(String name) {
    return folder.resolve("root").resolve(name).toString();
  }

  private MountActivator.Done activate(Mount... mounts) {
    return activator.activate(List.of(mounts), ActivationOptions.NONE);
  }

  @Test
  void a_list_without_anything_to_do_is_the_callers() {
    assertThatThrownBy(() -> activate(new Mount("bind", "/a", List.of("ro"))))
        .isInstanceOf(NotImplementedException.class);
    assertThatThrownBy(() -> activate()).isInstanceOf(NotImplementedException.class);
    assertThat(activator.ids()).isEmpty();
  }

  @Test
  void what_stands_before_a_template_is_mounted_and_filled_in() throws Exception {
    var done =
        activate(
            TMPFS,
            TMPFS,
            new Mount(
                "format/mkdir/overlay",
                "overlay",
                List.of(
                    "X-containerd.mkdir.path={{ mount 0 }}/upper:0750:12:34",
                    "X-containerd.mkdir.path={{ mount 0 }}/work",
                    "lowerdir={{ mount 1 }}",
                    "upperdir={{ mount 0 }}/upper",
                    "workdir={{ mount 0 }}/work")));
    assertThat(done.active()).hasSize(2);
    String first = done.active().getFirst().mountPoint();
    assertThat(done.system())
        .containsExactly(
            new Mount(
                "overlay",
                "overlay",
                List.of(
                    "lowerdir=" + done.active().getLast().mountPoint(),
                    "upperdir=" + first + "/upper",
                    "workdir=" + first + "/work")));
    assertThat(Files.getAttribute(Path.of(first, "upper"), "unix:mode")).isEqualTo(040750);
    assertThat(Files.getAttribute(Path.of(first, "upper"), "unix:uid")).isEqualTo(12);
    assertThat(Files.getAttribute(Path.of(first, "upper"), "unix:gid")).isEqualTo(34);
    Path place = Files.createDirectory(folder.resolve("place"));
    kernel.mount(done.system(), place);
    Files.writeString(place.resolve("file"), "x");
    assertThat(Path.of(first, "upper/file")).hasContent("x");
    kernel.unmountAll(place);
    Files.delete(place);
    assertThat(activator.isWhole(done)).isTrue();
    activator.deactivate(done.id());
    assertThat(activator.isWhole(done)).isFalse();
    assertThatThrownBy(() -> activator.deactivate(done.id())).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_file_system_is_made_once() throws Exception {
    LoopDisk.requireProgram("mkfs.ext4");
    var mount =
        new Mount(
            "mkfs/ext4",
            root("image"),
            List.of(
                "X-containerd.mkfs.fs=ext4",
                "X-containerd.mkfs.size=16MiB",
                "X-containerd.mkfs.uuid=6d1f2f0c-7d7a-4f43-9a43-0123456789ab",
                "loop"));
    var bind = new Mount("format/bind", "{{ mount 0 }}", List.of("rbind"));
    var done = activate(mount, bind);
    assertThat(Path.of(root("image"))).hasSize(16 << 20);
    Path point = Path.of(done.active().getFirst().mountPoint());
    Files.writeString(point.resolve("kept"), "kept");
    assertThat(done.active().getFirst().mount().type()).isEqualTo("ext4");
    assertThat(done.active().getFirst().mount().options()).containsExactly("loop");
    activator.deactivate(done.id());
    var again = activate(mount, bind);
    assertThat(Path.of(again.active().getFirst().mountPoint(), "kept")).hasContent("kept");
  }

  @Test
  void a_loop_device_is_there_for_later_mounts_and_is_given_back() throws Exception {
    LoopDisk.image(Path.of(root("image")), "ext4", 16 << 20);
    var done =
        activate(
            new Mount("loop", root("image"), List.of()),
            new Mount("format/ext4", "{{ mount 0 }}", List.of("ro")),
            new Mount("format/bind", "{{ mount 1 }}", List.of("rbind", "ro")));
    Path device = Path.of(done.active().getFirst().mountPoint()).toRealPath();
    assertThat(device.toString()).startsWith("/dev/loop");
    assertThat(Path.of(done.active().get(1).mountPoint(), "lost+found")).isDirectory();
    LocalMountActivator next = open();
    assertThat(next.isWhole(done)).isTrue();
    next.deactivate(done.id());
    Path backing = Path.of("/sys/block", device.getFileName().toString(), "loop/backing_file");
    assertThat(
            Files.exists(backing)
                ? Files.readString(backing)
                : "") // somebody else may have it by now
        .doesNotContain(folder.toString());
  }

  @Test
  void all_is_done_for_who_only_wants_to_look() {
    var done = activator.activate(List.of(TMPFS), ActivationOptions.NONE.forAWhile());
    ActiveMount only = done.active().getFirst();
    assertThat(done.active()).hasSize(1);
    assertThat(done.system())
        .containsExactly(new Mount("bind", only.mountPoint(), List.of("rbind")));
  }

  @Test
  void types_that_the_caller_does_are_left_to_it() {
    var mounts = List.of(TMPFS, new Mount("format/bind", "{{ mount 0 }}", List.of("rbind")));
    for (String allowed : List.of("format/*", "format/bind")) {
      assertThatThrownBy(
              () ->
                  activator.activate(
                      mounts, new ActivationOptions(Map.of(), false, Set.of(allowed))))
          .isInstanceOf(NotImplementedException.class);
    }
  }

  @Test
  void what_makes_no_sense_is_refused_and_leaves_nothing() {
    var bind = new Mount("format/bind", "{{ mount 0 }}", List.of("rbind"));
    for (Mount wrong :
        List.of(
            new Mount("mkfs/ext4", root("image"), List.of("loop")),
            new Mount("mkfs/ext4", root("image"), List.of("X-containerd.mkfs.size=much")),
            new Mount(
                "mkfs/ext4",
                root("image"),
                List.of("X-containerd.mkfs.size=1M", "X-containerd.mkfs.fs=vfat")),
            new Mount("mkfs/ext4", root("image"), List.of("X-containerd.mkfs.colour=red")),
            new Mount("mkfs/ext4", "/etc/image", List.of("X-containerd.mkfs.size=1M")),
            new Mount("mkfs/ext4", root("../image"), List.of("X-containerd.mkfs.size=1M")),
            new Mount("mkdir/tmpfs", "tmpfs", List.of("X-containerd.mkdir.path=/etc/new")),
            new Mount("mkdir/tmpfs", "tmpfs", List.of("X-containerd.mkdir.mode=7")),
            new Mount(
                "mkdir/tmpfs", "tmpfs", List.of("X-containerd.mkdir.path=" + root("x") + ":9")),
            new Mount(
                "mkdir/tmpfs",
                "tmpfs",
                List.of("X-containerd.mkdir.path=" + root("x") + ":0700:1")),
            new Mount("format/tmpfs", "{{ mount 5 }}", List.of()))) {
      assertThatThrownBy(() -> activate(TMPFS, wrong, bind))
          .as("%s", wrong)
          .isInstanceOf(InvalidArgumentException.class);
    }
    assertThat(activator.ids()).isEmpty();
  }

  @Test
  void a_failing_mount_undoes_those_before_it() {
    assertThatThrownBy(
            () ->
                activate(
                    TMPFS,
                    new Mount("ext4", "/no/such/device", List.of()),
                    new Mount("format/bind", "{{ mount 0 }}", List.of("rbind"))))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("mount 2 of 3")
        .hasMessageContaining("/no/such/device");
    assertThatThrownBy(() -> activate(new Mount("loop", root("missing"), List.of())))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("missing");
    assertThat(activator.ids()).isEmpty();
  }

  @Test
  void a_link_does_not_lead_a_new_folder_elsewhere() throws Exception {
    Files.createSymbolicLink(Path.of(root("link")), Path.of("/tmp"));
    assertThatThrownBy(
            () ->
                activate(
                    TMPFS,
                    new Mount(
                        "mkdir/tmpfs",
                        "tmpfs",
                        List.of("X-containerd.mkdir.path=" + root("link/elsewhere"))),
                    new Mount("format/bind", "{{ mount 0 }}", List.of())))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("is a link");
  }

  @Test
  void a_link_does_not_lead_a_new_file_system_elsewhere() throws Exception {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.createSymbolicLink(Path.of(root("link")), elsewhere);
    assertThatThrownBy(
            () ->
                activate(
                    new Mount(
                        "mkfs/ext4",
                        root("link/image"),
                        List.of("X-containerd.mkfs.size=16MiB", "loop")),
                    new Mount("format/bind", "{{ mount 0 }}", List.of())))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("mkfs source")
        .hasMessageContaining("is a link");
    assertThat(elsewhere).isEmptyDirectory();
    Files.delete(elsewhere);
  }
}
