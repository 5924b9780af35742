package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.check.FileSum;
import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.UnpackObserver;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.LinuxFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an applier tells of the files that it made. */
@Tag("root")
class LayerApplierSumsTest {
  @TempDir Path folder;

  private record Told(Path tree, Descriptor layer, Descriptor plain, FileSums sums) {}

  private final List<Told> told = new ArrayList<>();

  private Told apply(byte[] tar, List<Mount> mounts) {
    ApplyScene scene = new ApplyScene(folder);
    UnpackObserver observer =
        (tree, layer, plain, sums) -> told.add(new Told(tree, layer, plain, sums));
    new LayerApplier(scene.content, scene.mounter, observer)
        .apply(scene.blob(tar, ApplyScene.TAR), mounts, new Applier.Options(Map.of(), false));
    return told.getLast();
  }

  private static FileStat stat(Path file) throws IOException {
    return new LinuxFiles().stat(file).orElseThrow();
  }

  private static OptionalLong sum(Path file) throws IOException {
    FileSum sum = new FileSum();
    sum.add(ByteBuffer.wrap(Files.readAllBytes(file)));
    return OptionalLong.of(sum.value());
  }

  @Test
  void every_file_is_summed_whatever_came_and_went_before_it() throws IOException {
    Tars tars = new Tars();
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] body = new byte[random.nextInt(50)];
      random.nextBytes(body);
      tars.file("f" + random.nextInt(600), new String(body, StandardCharsets.ISO_8859_1));
    }
    tars.hardLink("link", "f1");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    byte[] tar = tars.end();
    Told one = apply(tar, ApplyScene.bind(tree));
    assertThat(one.tree()).isEqualTo(tree);
    assertThat(one.plain().digest()).isEqualTo(one.layer().digest());
    try (var files = Files.list(tree)) {
      for (Path file : files.toList()) {
        assertThat(one.sums().find(stat(file))).as(file.toString()).isEqualTo(sum(file));
      }
    }
  }

  @Test
  void an_overlay_is_told_by_its_upper_folder() throws IOException {
    Path upper = Files.createDirectory(folder.resolve("upper"));
    Path work = Files.createDirectory(folder.resolve("work"));
    Path lower = Files.createDirectory(folder.resolve("lower"));
    Files.writeString(lower.resolve("below"), "copied up to be linked to");
    byte[] tar = new Tars().file("a", "b").hardLink("linked", "below").end();
    Told one = apply(tar, ApplyScene.overlay(upper, work, lower));
    assertThat(one.tree()).isEqualTo(upper);
    assertThat(one.sums().find(stat(upper.resolve("a")))).isEqualTo(sum(upper.resolve("a")));
    assertThat(one.sums().find(stat(upper.resolve("linked"))))
        .as("its bytes did not pass through")
        .isEmpty();
  }

  @Test
  void a_file_that_was_touched_afterwards_is_not_vouched_for() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Told one =
        apply(new Tars().file("same", "12345").file("other", "x").end(), ApplyScene.bind(tree));
    Path file = tree.resolve("same");
    FileTime time = Files.getLastModifiedTime(file);
    FileStat before = stat(file);
    while (stat(file).changed().equals(before.changed())) { // until the kernel's clock ticks
      Files.writeString(file, "54321");
      Files.setLastModifiedTime(file, time);
    }
    assertThat(one.sums().find(stat(file))).isEmpty();
    assertThat(one.sums().find(stat(tree.resolve("other")))).isPresent();
  }
}
