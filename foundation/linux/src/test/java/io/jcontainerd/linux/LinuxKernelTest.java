package io.jcontainerd.linux;

import static io.jcontainerd.linux.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
class LinuxKernelTest {
  @TempDir Path folder;
  private LinuxKernel kernel;
  private Path target;

  @BeforeEach
  void make_a_target() throws IOException {
    kernel = new LinuxKernel(folder.resolve("tmp"));
    target = Files.createDirectory(folder.resolve("target"));
  }

  @AfterEach
  void nothing_is_left_mounted() throws IOException {
    List<MountInfo> left =
        MountInfo.read().stream().filter(m -> m.mountPoint().startsWith(folder + "/")).toList();
    kernel.detachAll(folder);
    assertThat(left).isEmpty();
    if (Files.exists(folder.resolve("tmp"))) {
      try (var entries = Files.list(folder.resolve("tmp"))) {
        assertThat(entries).isEmpty();
      }
    }
  }

  private String findmnt(String column) throws Exception {
    return sh("findmnt -n -o $1 -M $2", column, target.toString());
  }

  @Test
  void a_tmpfs_is_mounted_with_its_flags_and_data_and_unmounted() throws Exception {
    kernel.mount(
        List.of(new Mount("tmpfs", "mine", List.of("nosuid", "noexec", "size=1m", "mode=711"))),
        target);
    assertThat(findmnt("FSTYPE,SOURCE")).isEqualTo("tmpfs  mine");
    assertThat(findmnt("OPTIONS").split(",")).contains("rw", "nosuid", "noexec", "size=1024k");
    assertThat(sh("stat -c %a $1", target.toString())).isEqualTo("711");
    Kernel.MountPoint point =
        kernel.mountTable().stream()
            .filter(m -> m.mountPoint().equals(target))
            .findFirst()
            .orElseThrow();
    assertThat(point.type()).isEqualTo("tmpfs");
    assertThat(point.options()).contains("nosuid").contains("size=1024k");
    kernel.unmountAll(target);
    assertThat(sh("findmnt -n -M $1 || echo none", target.toString())).isEqualTo("none");
  }

  @Test
  void a_read_only_bind_mount_refuses_writes_while_its_source_takes_them() throws Exception {
    Path source = Files.createDirectory(folder.resolve("source"));
    kernel.mount(
        List.of(new Mount("bind", source.toString(), List.of("rbind", "ro", "nodev"))), target);
    assertThat(sh("touch $1/x 2>&1 || true", target.toString())).contains("Read-only");
    assertThat(findmnt("VFS-OPTIONS").split(",")).contains("ro", "nodev");
    Files.createFile(source.resolve("y"));
    assertThat(target.resolve("y")).exists();
    kernel.unmountAll(target);
  }

  @Test
  void a_remount_for_one_flag_keeps_those_that_the_source_had() throws Exception {
    Path source = Files.createDirectory(folder.resolve("source"));
    kernel.mount(List.of(new Mount("tmpfs", "t", List.of("nosuid", "nodev"))), source);
    kernel.mount(List.of(new Mount("bind", source.toString(), List.of("rbind", "ro"))), target);
    assertThat(findmnt("VFS-OPTIONS").split(",")).contains("ro", "nosuid", "nodev");
    kernel.unmountAll(target);
    kernel.unmountAll(source);
  }

  @Test
  void propagation_is_set_after_the_mount() throws Exception {
    kernel.mount(List.of(new Mount("tmpfs", "t", List.of("shared"))), target);
    assertThat(findmnt("PROPAGATION")).isEqualTo("shared");
    kernel.mount(List.of(new Mount("none", "", List.of("rprivate"))), target);
    assertThat(findmnt("PROPAGATION")).isEqualTo("private");
    kernel.unmountAll(target);
  }

  @Test
  void stacked_and_nested_mounts_all_go() throws Exception {
    for (int i = 0; i < 3; i++) {
      kernel.mount(List.of(new Mount("tmpfs", "t" + i, List.of())), target);
    }
    Path nested = Files.createDirectories(target.resolve("a b/c"));
    kernel.mount(List.of(new Mount("tmpfs", "n", List.of())), nested);
    kernel.unmountAll(target);
    assertThat(MountInfo.read())
        .extracting(MountInfo::mountPoint)
        .noneMatch(point -> point.startsWith(target.toString()));
  }

  @Test
  void unmounting_what_is_not_mounted_or_not_there_is_no_failure() throws IOException {
    kernel.unmountAll(target);
    kernel.unmountAll(folder.resolve("absent/deeper"));
    kernel.detachAll(folder.resolve("absent"));
    assertThat(target).exists();
  }

  @Test
  void a_list_is_mounted_in_order_with_targets_below_that_cannot_escape() throws Exception {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path source = Files.createDirectory(folder.resolve("source"));
    Files.createDirectories(source.resolve("outside"));
    Files.createSymbolicLink(source.resolve("sub"), Path.of("/outside"));
    kernel.mount(
        List.of(
            new Mount("bind", source.toString(), List.of("rbind", "rw")),
            new Mount("tmpfs", "inner", "../sub", List.of())),
        target);
    assertThat(sh("findmnt -n -o SOURCE -M $1", target.resolve("outside").toString()))
        .isEqualTo("inner");
    try (var entries = Files.list(outside)) {
      assertThat(entries).isEmpty();
    }
    kernel.unmountAll(target);
  }

  @Test
  void a_failure_in_the_middle_of_a_list_leaves_nothing_mounted() {
    assertThatThrownBy(
            () ->
                kernel.mount(
                    List.of(
                        new Mount("tmpfs", "a", List.of()),
                        new Mount("tmpfs", "b", List.of()),
                        new Mount("nosuchfs", "c", List.of())),
                    target))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nosuchfs c at " + target)
        .hasMessageContaining("ENODEV");
  }

  private List<String> lowers(Path root, int count, String suffix) throws IOException {
    List<String> lowers = new ArrayList<>();
    for (int i = count; i > 0; i--) {
      Path lower = Files.createDirectories(root.resolve(i + suffix));
      Files.writeString(lower.resolve("layer" + i), "layer " + i);
      Files.writeString(lower.resolve("top"), "from " + i);
      lowers.add(lower.toString());
    }
    return lowers;
  }

  private List<String> overlay(List<String> lowers) throws IOException {
    Path upper = Files.createDirectory(folder.resolve("upper"));
    Path work = Files.createDirectory(folder.resolve("work"));
    return List.of(
        "workdir=" + work,
        "upperdir=" + upper,
        "lowerdir=" + String.join(":", lowers),
        "index=off");
  }

  private void assert_whole_overlay(int count) throws IOException {
    assertThat(Files.readString(target.resolve("top"))).isEqualTo("from " + count);
    for (int i = 1; i <= count; i++) {
      assertThat(target.resolve("layer" + i)).hasContent("layer " + i);
    }
    Files.writeString(target.resolve("written"), "x");
    assertThat(folder.resolve("upper/written")).hasContent("x");
  }

  @Test
  void two_hundred_layers_mount_by_relative_names() throws Exception {
    Path root = folder.resolve("io.containerd.snapshotter.v1.overlayfs/snapshots");
    List<String> options = overlay(lowers(root, 200, "/fs"));
    assertThat(String.join(",", options).length()).isGreaterThan(8192);
    Path before = Path.of("").toAbsolutePath();
    kernel.mount(List.of(new Mount("overlay", "overlay", options)), target);
    assert_whole_overlay(200);
    assertThat(sh("readlink /proc/$PPID/cwd")).isEqualTo(before.toString());
    kernel.unmountAll(target);
  }

  @Test
  void layers_too_many_even_for_relative_names_mount_one_call_each() throws Exception {
    List<String> options =
        overlay(lowers(folder.resolve("s"), 300, "-with-a-rather-long-name-for-a-layer/fs"));
    kernel.mount(List.of(new Mount("overlay", "overlay", options)), target);
    assert_whole_overlay(300);
    assertThat(findmnt("SOURCE")).isEqualTo("overlay");
    kernel.unmountAll(target);
  }

  @Test
  void a_mount_works_from_a_virtual_thread() throws Exception {
    List<Throwable> failures = new ArrayList<>();
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    kernel.mount(List.of(new Mount("tmpfs", "t", List.of())), target);
                    kernel.unmountAll(target);
                  } catch (IOException | RuntimeException e) {
                    failures.add(e);
                  }
                });
    thread.join();
    assertThat(failures).isEmpty();
  }

  @Test
  void an_id_mapped_bind_mount_shows_shifted_owners() throws Exception {
    Path source = Files.createDirectory(folder.resolve("source"));
    sh("touch $1/f; chown 5:7 $1/f", source.toString());
    kernel.mount(
        List.of(
            new Mount(
                "bind",
                source.toString(),
                List.of("rbind", "ro", "uidmap=0:100000:65536", "gidmap=0:200000:65536"))),
        target);
    assertThat(sh("stat -c %u:%g $1/f", target.toString())).isEqualTo("100005:200007");
    assertThat(findmnt("VFS-OPTIONS").split(",")).contains("ro", "idmapped");
    kernel.unmountAll(target);
  }

  @Test
  void an_id_mapped_overlay_shows_lower_files_with_shifted_owners() throws Exception {
    List<String> lowers = lowers(folder.resolve("s"), 3, "/fs");
    List<String> options = new ArrayList<>(overlay(lowers));
    options.addFirst("gidmap=0:200000:65536");
    options.addFirst("uidmap=0:100000:65536");
    kernel.mount(List.of(new Mount("overlay", "overlay", options)), target);
    assertThat(sh("stat -c %u:%g $1/layer1", target.toString())).isEqualTo("100000:200000");
    assertThat(target.resolve("layer2")).hasContent("layer 2");
    assertThat(sh("ls $1", folder.resolve("tmp").toString())).isEmpty();
    kernel.unmountAll(target);
  }

  @Test
  void a_loop_mount_shows_the_file_system_in_a_file_and_frees_its_device() throws Exception {
    Path image = folder.resolve("image");
    sh("truncate -s 8m $1; mkfs.ext4 -q $1", image.toString());
    kernel.mount(List.of(new Mount("ext4", image.toString(), List.of("loop"))), target);
    assertThat(findmnt("FSTYPE")).isEqualTo("ext4");
    String device = findmnt("SOURCE");
    assertThat(sh("losetup -n -O BACK-FILE $1", device)).isEqualTo(image.toString());
    kernel.unmountAll(target);
    Soon.until( // later while somebody looks at it
        "the device is free",
        () -> sh("losetup -n -O BACK-FILE -j $1", image.toString()).isEmpty());
  }

  @Test
  void a_busy_mount_can_be_detached() throws Exception {
    kernel.mount(List.of(new Mount("tmpfs", "t", List.of())), target);
    Files.writeString(target.resolve("f"), "held");
    try (var held = Files.newInputStream(target.resolve("f"))) {
      assertThatThrownBy(() -> new LinuxKernel(folder, new Hurried()).unmountAll(target))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
      kernel.detachAll(target);
      assertThat(held.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo("held");
    }
    assertThat(target.resolve("f")).doesNotExist();
  }

  @Test
  void room_and_boot_are_what_the_tools_say() throws Exception {
    Kernel.Space space = kernel.space(folder);
    assertThat(Long.toHexString(space.magic()))
        .isEqualTo(sh("stat -f -c %t $1", folder.toString()));
    assertThat(Long.toString(space.totalBytes()))
        .isEqualTo(sh("df -B1 --output=size $1 | tail -1 | tr -d ' '", folder.toString()));
    assertThat(kernel.bootId()).isEqualTo(sh("cat /proc/sys/kernel/random/boot_id"));
    try (Kernel.Synchroniser synchroniser = kernel.synchroniser(folder)) {
      synchroniser.synchronise();
      synchroniser.synchronise();
    }
    assertThatThrownBy(() -> kernel.synchroniser(folder.resolve("none")))
        .isInstanceOf(java.nio.file.NoSuchFileException.class);
  }

  @Test
  void extended_attributes_are_set_listed_and_removed() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    kernel.setExtendedAttribute(file, "user.one", "1".getBytes(StandardCharsets.UTF_8));
    kernel.setExtendedAttribute(file, "trusted.two", new byte[4000]);
    assertThat(kernel.extendedAttributes(file)).contains("user.one", "trusted.two");
    assertThat(
            sh(
                "python3 -c 'import os,sys; print(os.getxattr(sys.argv[1],\"user.one\"))' $1",
                file.toString()))
        .isEqualTo("b'1'");
    assertThat(kernel.extendedAttribute(file, "trusted.two").orElseThrow()).hasSize(4000);
    kernel.setExtendedAttribute(file, "user.one", null);
    assertThat(kernel.extendedAttribute(file, "user.one")).isEmpty();
  }

  @Test
  void the_mounter_gives_a_tree_for_a_while_and_cleans_what_a_killed_one_left() throws Exception {
    Path tmpmounts = folder.resolve("tmpmounts");
    Mounter mounter = new Mounter(kernel, tmpmounts);
    Path root;
    try (var tree = mounter.mount(List.of(new Mount("tmpfs", "t", List.of())))) {
      root = tree.root();
      assertThat(root).startsWith(tmpmounts);
      Files.createFile(root.resolve("x"));
    }
    assertThat(root).doesNotExist();
    Path left = mounter.mount(List.of(new Mount("tmpfs", "t", List.of()))).root();
    assertThat(left).exists();
    Path foreign = Files.createDirectories(tmpmounts.resolve("foreign/data"));
    assertThat(new Mounter(kernel, tmpmounts).cleanLeftovers())
        .containsExactly(foreign.getParent());
    assertThat(left).doesNotExist();
  }
}
