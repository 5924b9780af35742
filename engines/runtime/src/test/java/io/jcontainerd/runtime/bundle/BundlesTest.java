package io.jcontainerd.runtime.bundle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundlesTest {
  private static final byte[] SPEC = "{}".getBytes(UTF_8);

  @TempDir Path folder;
  private LinuxKernel kernel;
  private Bundles bundles;

  @BeforeEach
  void open() {
    kernel = new LinuxKernel(folder.resolve("k"));
    bundles =
        new Bundles(new LinuxFiles(), kernel, folder.resolve("state"), folder.resolve("root"));
  }

  private Bundle create(String id) {
    return bundles.create("ns", id, SPEC, OptionalInt.empty(), "pod");
  }

  @Test
  void a_bundle_has_what_containerd_puts_there() {
    Bundle bundle = create("one");
    assertThat(bundle.path()).isEqualTo(folder.resolve("state/ns/one"));
    assertThat(bundle.path().resolve("config.json")).hasContent("{}");
    assertThat(bundle.path().resolve("sandbox")).hasContent("pod");
    assertThat(bundle.rootfs()).isEmptyDirectory();
    assertThat(bundle.path().resolve("work")).isSymbolicLink();
    assertThat(bundle.work()).isEmptyDirectory();
    assertThat(bundles.list()).containsExactly(bundle);
  }

  @Test
  void a_name_is_given_once() {
    create("one");
    assertThatThrownBy(() -> create("one"))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessage("bundle ns/one");
    assertThat(bundles.list()).hasSize(1);
  }

  @Test
  void names_that_are_paths_are_refused() {
    for (String name : List.of("..", "a/b", "", ".hidden")) {
      assertThatThrownBy(() -> create(name)).isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void a_work_folder_of_an_earlier_life_starts_empty() throws Exception {
    Files.createDirectories(folder.resolve("root/ns/one/old"));
    assertThat(create("one").work()).isEmptyDirectory();
  }

  @Test
  void a_deleted_bundle_leaves_nothing_and_may_be_deleted_again() {
    Bundle bundle = create("one");
    bundles.delete(bundle);
    bundles.delete(bundle);
    assertThat(folder.resolve("state/ns")).isEmptyDirectory();
    assertThat(folder.resolve("root/ns")).isEmptyDirectory();
  }

  @Test
  void what_lies_in_the_rootfs_is_never_deleted() throws Exception {
    Bundle bundle = create("one");
    Files.writeString(bundle.rootfs().resolve("precious"), "data");
    assertThatThrownBy(() -> bundles.delete(bundle)).isInstanceOf(UnknownException.class);
    assertThat(bundle.rootfs().resolve("precious")).hasContent("data");
  }

  @Test
  @Tag("root")
  void what_is_mounted_is_unmounted_and_kept() throws Exception {
    Path precious = Files.createDirectories(folder.resolve("precious"));
    Files.writeString(precious.resolve("file"), "data");
    Bundle bundle = create("one");
    kernel.mount(
        List.of(new Mount("bind", precious.toString(), List.of("rbind", "rw"))), bundle.rootfs());
    Files.createDirectories(bundle.rootfs().resolve("below"));
    kernel.mount(List.of(new Mount("tmpfs", "tmpfs", List.of())), bundle.rootfs().resolve("below"));
    bundles.delete(bundle);
    assertThat(bundle.path()).doesNotExist();
    assertThat(precious.resolve("file")).hasContent("data");
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(folder.toString());
  }

  @Test
  void half_deleted_bundles_are_not_listed_and_are_removed_as_strays() throws Exception {
    Bundle kept = create("kept");
    Files.createDirectories(folder.resolve("state/ns/.half/x"));
    Files.createDirectories(folder.resolve("root/ns/.half"));
    Files.createDirectories(folder.resolve("root/ns/stray"));
    assertThat(bundles.list()).containsExactly(kept);
    bundles.deleteStrays(Set.of(kept));
    assertThat(folder.resolve("state/ns/.half")).doesNotExist();
    assertThat(folder.resolve("root/ns/.half")).doesNotExist();
    assertThat(folder.resolve("root/ns/stray")).doesNotExist();
    assertThat(kept.path()).exists();
    assertThat(kept.work()).exists();
  }

  @Test
  void a_written_file_replaces_the_former_whole() {
    Bundle bundle = create("one");
    bundles.write(bundle, "f", "first".getBytes(UTF_8), 0600);
    bundles.write(bundle, "f", " second\n".getBytes(UTF_8), 0600);
    assertThat(bundles.readText(bundle, "f")).contains("second");
    assertThat(bundles.readText(bundle, "none")).isEmpty();
  }
}
