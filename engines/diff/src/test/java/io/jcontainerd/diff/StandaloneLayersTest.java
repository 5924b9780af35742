package io.jcontainerd.diff;

import static io.jcontainerd.diff.ApplyScene.overlay;
import static io.jcontainerd.diff.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that are unpacked beside what will be below them. */
@Tag("root")
class StandaloneLayersTest {
  private static final Applier.Options ALONE = new Applier.Options(Map.of(), false).standalone();

  @TempDir private Path temp;
  private ApplyScene scene;

  @BeforeEach
  void open() {
    scene = new ApplyScene(temp);
  }

  private void apply(byte[] layer, List<Mount> mounts) {
    scene.applier.apply(scene.blob(layer, ApplyScene.TAR), mounts, ALONE);
  }

  private static List<Mount> upper(Path folder) {
    return List.of(new Mount("overlay", "overlay", List.of("upperdir=" + folder)));
  }

  @Test
  void a_layer_with_all_its_folders_is_the_same_as_on_its_parent() throws Exception {
    Path base = scene.fresh("base");
    sh(
        "cd $1; mkdir -p usr/lib etc/old opq d/sub; ln -s usr/lib lib; ln -s usr/lib lib64;"
            + " touch usr/lib/a gone etc/old/1 opq/1 d/sub/f; chmod 700 usr",
        base.toString());
    byte[] layer =
        new Tars()
            .folder("usr")
            .folder("usr/lib", 02711)
            .file("usr/lib/b", "1")
            .hardLink("usr/lib/c", "usr/lib/b")
            .whiteout(".wh.gone")
            .folder("lib64")
            .file("lib64/x", "no link any more\n")
            .folder("opq")
            .whiteout("opq/.wh..wh..opq")
            .file("opq/2", "3")
            .folder("d")
            .whiteout("d/.wh.sub")
            .folder("d/sub")
            .file("d/sub/g", "4")
            .folder("etc")
            .whiteout("etc/.wh.old")
            .end();
    Path alone = scene.fresh("alone");
    apply(layer, upper(alone));
    Path on = scene.fresh("on");
    scene.apply(layer, ApplyScene.TAR, overlay(on, scene.fresh("w1"), base));
    Path place = scene.fresh("place");
    scene.kernel.mount(overlay(on, scene.fresh("w2"), base), place);
    try {
      var expected = Trees.withoutTimes(place);
      scene.kernel.unmountAll(place);
      scene.kernel.mount(overlay(alone, scene.fresh("w3"), base), place);
      assertThat(Trees.withoutTimes(place)).isEqualTo(expected);
      assertThat(sh("cd $1; ls; cat lib64/x; ls lib/", place.toString()))
          .isEqualTo("d\netc\nlib\nlib64\nopq\nusr\nno link any more\na\nb\nc");
    } finally {
      scene.kernel.unmountAll(place);
    }
  }

  private void assertNeedsParent(byte[] layer, String path) throws Exception {
    assertThatThrownBy(() -> apply(layer, upper(scene.fresh("upper"))))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("\"" + path + "\" is not in the layer itself");
  }

  @Test
  void entries_in_folders_that_may_be_links_below_need_the_parent() throws Exception {
    assertNeedsParent(new Tars().file("lib/x", "1").end(), "lib");
  }

  @Test
  void whiteouts_in_folders_that_may_be_links_below_need_the_parent() throws Exception {
    assertNeedsParent(new Tars().whiteout("lib/.wh.x").end(), "lib");
    assertNeedsParent(new Tars().whiteout("lib/.wh..wh..opq").end(), "lib");
  }

  @Test
  void links_to_what_is_below_need_the_parent() throws Exception {
    assertNeedsParent(new Tars().hardLink("a", "b").end(), "b");
    assertNeedsParent(new Tars().hardLink("a", "usr/b").end(), "usr");
  }

  @Test
  void attributes_of_the_root_need_the_parent() throws Exception {
    assertNeedsParent(new Tars().folder("./").end(), "");
  }

  @Test
  void a_plain_folder_cannot_keep_what_hides_something() throws Exception {
    assertThatThrownBy(
            () -> apply(new Tars().file("a", "1").end(), ApplyScene.bind(scene.fresh("plain"))))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("only an overlay");
  }
}
