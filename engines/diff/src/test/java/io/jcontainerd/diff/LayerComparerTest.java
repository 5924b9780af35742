package io.jcontainerd.diff;

import static io.jcontainerd.diff.ApplyScene.archive;
import static io.jcontainerd.diff.ApplyScene.bind;
import static io.jcontainerd.diff.ApplyScene.overlay;
import static io.jcontainerd.diff.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.diff.tree.TreeDifference;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.MountInfo;
import io.jcontainerd.oci.tar.TarWriter;
import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("root")
class LayerComparerTest {
  private static final Comparer.Options PLAIN =
      new Comparer.Options(ApplyScene.TAR, "", Map.of(), Optional.empty());

  /** Changes of every kind to the tree of {@link LayerApplierTest#EVERYTHING}. */
  private static final String CHANGES =
      """
      echo more >> bin/hello; chmod 755 bin/hello
      rm -r etc/deep; mkdir etc/deep; echo new > etc/deep/file
      rm etc/link; echo no-link > etc/link
      rm var/fifo; rm -r var/log; echo now-a-file > var/log
      ln empty empty-too
      mknod new-c c 0x7 0x12345; mkfifo new-fifo
      chown 11:12 sticky; ln -sfn elsewhere longlink
      python3 -c 'import os
      os.removexattr("etc", "trusted.dir"); os.setxattr("with space", "user.new", b"\\0\\xff")'
      rm -r nnnn*; mkdir -p 'fresh dir/sub'; setcap cap_chown+ep 'ümläut'
      ln bin/second 'fresh dir/third'
      touch -d '1960-01-01 00:00:00.25Z' bin/second
      touch -h -d '2021-12-13T14:15:16.987654321Z' etc/dangling
      """;

  @TempDir Path temp;
  private ApplyScene scene;
  private LayerComparer comparer;

  @BeforeEach
  void make_a_scene() {
    scene = new ApplyScene(temp);
    comparer = new LayerComparer(scene.content, scene.mounter);
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    assertThat(MountInfo.read())
        .extracting(MountInfo::mountPoint)
        .noneMatch(point -> point.startsWith(temp.toString()));
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("compare-"));
    assertThat(scene.content.statuses(Filter.any(List.of()))).isEmpty();
  }

  private byte[] bytes(Descriptor layer) {
    try (ContentReader reader = scene.content.reader(layer.digest())) {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(reader.size()));
      boolean more = true;
      while (more && all.hasRemaining()) {
        more = reader.read(all, all.position()) > 0;
      }
      return all.array();
    }
  }

  private String listed(Descriptor layer) throws Exception {
    Files.write(temp.resolve("layer"), bytes(layer));
    return sh("tar -tf $1/layer | xargs", temp.toString());
  }

  /** The lines of a tree without its root, whose time a layer does not carry. */
  private static SortedMap<String, String> lines(Path root) throws IOException {
    SortedMap<String, String> lines = Trees.of(root);
    lines.remove(".");
    return lines;
  }

  private Path everything(String name) throws Exception {
    Path source = scene.fresh(name);
    sh("cd $1; " + LayerApplierTest.EVERYTHING, source.toString());
    return source;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ApplyScene.TAR, ApplyScene.ZSTD})
  void a_base_and_a_difference_applied_give_the_changed_tree(String mediaType) throws Exception {
    Path before = everything("before");
    Path after = scene.fresh("after");
    sh("cp -a $1/. $2", before.toString(), after.toString());
    Comparer.Options options =
        new Comparer.Options(mediaType, "", Map.of("k", "v"), Optional.empty());
    Descriptor base = comparer.compare(List.of(), bind(before), options);
    sh("cd $1; " + CHANGES, after.toString());
    Descriptor change = comparer.compare(bind(before), bind(after), options);
    String expectedType = mediaType.isEmpty() ? ApplyScene.GZIP : mediaType;
    assertThat(change.mediaType()).isEqualTo(expectedType);
    assertThat(change.size()).isEqualTo(scene.content.info(change.digest()).size());

    Path plain = scene.fresh("plain");
    Applier.Options apply = new Applier.Options(Map.of(), false);
    scene.applier.apply(base, bind(plain), apply);
    assertThat(lines(plain)).isEqualTo(lines(before));
    Descriptor applied = scene.applier.apply(change, bind(plain), apply);
    assertThat(lines(plain)).isEqualTo(lines(after));

    Map<String, String> labels = scene.content.info(change.digest()).labels();
    assertThat(labels).containsEntry("k", "v");
    if (mediaType.equals(ApplyScene.TAR)) {
      assertThat(labels).doesNotContainKey("containerd.io/uncompressed");
      assertThat(applied.digest()).isEqualTo(change.digest());
    } else {
      assertThat(labels).containsEntry("containerd.io/uncompressed", applied.digest().toString());
    }
  }

  @Test
  void a_difference_seen_through_overlays_gives_the_changed_tree() throws Exception {
    Path base = everything("base");
    Path upper = scene.fresh("upper");
    List<Mount> mounts = overlay(upper, scene.fresh("work"), base);
    Path place = scene.fresh("place");
    scene.kernel.mount(mounts, place);
    SortedMap<String, String> expected;
    Descriptor change;
    try {
      sh("cd $1; " + CHANGES, place.toString());
      expected = lines(place);
      change = comparer.compare(bind(base), mounts, PLAIN);
    } finally {
      scene.kernel.unmountAll(place);
    }
    List<Mount> again = overlay(scene.fresh("upper2"), scene.fresh("work2"), base);
    scene.applier.apply(change, again, new Applier.Options(Map.of(), false));
    scene.kernel.mount(again, place);
    try {
      SortedMap<String, String> found = lines(place);
      assertThat(found).isEqualTo(expected);
    } finally {
      scene.kernel.unmountAll(place);
    }
  }

  @Test
  void only_what_changed_is_written_in_order_with_the_folders_that_hold_it() throws Exception {
    Path before = scene.fresh("before");
    sh("cd $1; mkdir -p a/b/c x/y; touch a/b/c/f a/b/g x/y/z gone x/gone-too", before.toString());
    Path after = scene.fresh("after");
    sh(
        "cp -a $1/. $2; cd $2; touch -d @77 a/b/c/f; rm -r gone x/gone-too; echo 1 > new",
        before.toString(),
        after.toString());
    assertThat(listed(comparer.compare(bind(before), bind(after), PLAIN)))
        .isEqualTo("a/ a/b/ a/b/c/ a/b/c/f .wh.gone new x/ x/.wh.gone-too");
  }

  @Test
  void equal_trees_give_an_empty_layer_and_the_same_bytes_each_time() throws Exception {
    Path before = everything("before");
    Path after = scene.fresh("after");
    sh("cp -a $1/. $2", before.toString(), after.toString());
    assertThat(bytes(comparer.compare(bind(before), bind(after), PLAIN))).isEqualTo(new byte[1024]);
    Comparer.Options gzip = new Comparer.Options("", "", Map.of(), Optional.empty());
    Descriptor one = comparer.compare(List.of(), bind(before), gzip);
    assertThat(comparer.compare(List.of(), bind(before), gzip)).isEqualTo(one);
  }

  @Test
  void bytes_are_compared_where_times_have_no_fraction() throws Exception {
    Path before = scene.fresh("before");
    Path after = scene.fresh("after");
    sh(
        "cd $1; printf aaa > f; printf same > g; touch -d @1000 . f g; cp -a . $2;"
            + " printf bbb > $2/f; touch -d @1000 $2/f $2",
        before.toString(),
        after.toString());
    assertThat(listed(comparer.compare(bind(before), bind(after), PLAIN))).isEqualTo("f");
  }

  @Test
  void names_of_one_file_stay_together() throws Exception {
    Path before = scene.fresh("before");
    sh("cd $1; mkdir d; echo 1 > d/a; ln d/a d/b", before.toString());
    Path after = scene.fresh("after");
    sh("cp -a $1/. $2; cd $2; ln d/a z; ln d/a e", before.toString(), after.toString());
    Descriptor change = comparer.compare(bind(before), bind(after), PLAIN);
    Path target = scene.fresh("target");
    sh("cp -a $1/. $2", before.toString(), target.toString());
    scene.applier.apply(change, bind(target), new Applier.Options(Map.of(), false));
    assertThat(lines(target)).isEqualTo(lines(after));
    assertThat(sh("stat -c %h $1/d/a", target.toString())).isEqualTo("4");
  }

  @Test
  void gnu_tar_reads_what_is_written() throws Exception {
    Path source = everything("source");
    Descriptor layer = comparer.compare(List.of(), bind(source), PLAIN);
    Files.write(temp.resolve("layer"), bytes(layer));
    Path target = scene.fresh("target");
    sh(
        "tar --xattrs --xattrs-include='*' -xpf $1 -C $2",
        temp.resolve("layer").toString(),
        target.toString());
    assertThat(lines(target)).isEqualTo(lines(source));
  }

  @Test
  void no_time_is_later_than_the_source_date_epoch() throws Exception {
    Path before = scene.fresh("before");
    sh("cd $1; touch gone", before.toString());
    Path after = scene.fresh("after");
    sh("cd $1; touch -d @500.5 early; touch late; mkdir d", after.toString());
    Instant epoch = Instant.ofEpochSecond(1000);
    Comparer.Options options =
        new Comparer.Options(ApplyScene.TAR, "", Map.of(), Optional.of(epoch));
    Files.write(temp.resolve("layer"), bytes(comparer.compare(bind(before), bind(after), options)));
    assertThat(
            sh(
                "TZ=UTC tar --full-time -tvf $1 | awk '{print $4, $5, $6}' | xargs",
                temp.resolve("layer").toString()))
        .isEqualTo(
            "1970-01-01 00:16:40 d/ 1970-01-01 00:08:20.5 early"
                + " 1970-01-01 00:16:40 .wh.gone 1970-01-01 00:16:40 late");
  }

  @Test
  void a_name_that_means_a_removed_file_cannot_be_packed_and_leaves_no_ingest() throws Exception {
    Path after = scene.fresh("after");
    Files.createFile(after.resolve(".wh.real"));
    assertThatThrownBy(() -> comparer.compare(List.of(), bind(after), PLAIN))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\".wh.real\" cannot be in a layer");
  }

  @Test
  void an_unknown_media_type_is_for_somebody_else() throws Exception {
    Path after = scene.fresh("after");
    assertThatThrownBy(
            () ->
                comparer.compare(
                    List.of(),
                    bind(after),
                    new Comparer.Options("application/x-y", "", Map.of(), Optional.empty())))
        .isInstanceOf(NotImplementedException.class);
  }

  @Test
  void sockets_are_left_out_and_holes_are_read_as_zeros() throws Exception {
    Path after = scene.fresh("after");
    sh(
        "cd $1; truncate -s 3m holes; touch -d @5 holes; python3 -c 'import socket;"
            + " socket.socket(socket.AF_UNIX).bind(\"s\")'",
        after.toString());
    Descriptor layer = comparer.compare(List.of(), bind(after), PLAIN);
    assertThat(listed(layer)).isEqualTo("holes");
    assertThat(layer.size()).isEqualTo(512 + 3 * 1024 * 1024 + 1024);
  }

  @Test
  void what_gnu_tar_packed_compares_as_equal_once_applied() throws Exception {
    Path source = everything("source");
    Path target = scene.fresh("target");
    scene.apply(archive(source, "tar --format=pax --xattrs --xattrs-include=* -cf - ."), target);
    assertThat(bytes(comparer.compare(bind(source), bind(target), PLAIN)))
        .isEqualTo(new byte[1024]);
  }

  @Test
  void a_cancelled_difference_leaves_no_ingest() throws Exception {
    Path tree = scene.fresh("tree");
    Files.writeString(tree.resolve("file"), "x");
    Thread caller = Thread.currentThread();
    ContentStore cancelling =
        (ContentStore)
            Proxy.newProxyInstance(
                ContentStore.class.getClassLoader(),
                new Class<?>[] {ContentStore.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("abort") && Thread.currentThread().isInterrupted()) {
                    throw new CancelledException("interrupted while waiting to read");
                  }
                  Object result = method.invoke(scene.content, arguments);
                  if (method.getName().equals("ingest")) {
                    caller.interrupt();
                    Soon.until("it is interrupted", () -> Thread.currentThread().isInterrupted());
                  }
                  return result;
                });
    LayerComparer cancelled = new LayerComparer(cancelling, scene.mounter);
    try {
      assertThatThrownBy(() -> cancelled.compare(List.of(), bind(tree), PLAIN))
          .isInstanceOf(CancelledException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(scene.content.statuses(Filter.any(List.of()))).isEmpty();
  }

  @Test
  void equal_trees_are_not_read_on_after_an_interrupt() throws Exception {
    Path tree = scene.fresh("tree");
    Files.writeString(tree.resolve("file"), "x");
    sh("touch -d '2020-01-01 00:00:00Z' $1/file; cp -a $1 $2", tree.toString(), temp + "/copy");
    TarWriter tar = new TarWriter(OutputStream.nullOutputStream());
    Thread.currentThread().interrupt();
    try (Directory lower = Directory.open(tree);
        Directory upper = Directory.open(temp.resolve("copy"))) {
      assertThatThrownBy(
              () -> TreeDifference.write(Optional.of(lower), upper, Optional.empty(), tar))
          .isInstanceOf(InterruptedIOException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void a_tree_deeper_than_a_layer_can_tell_is_refused() throws Exception {
    Path tree = scene.fresh("tree");
    Directory at = Directory.open(tree);
    for (int i = 0; i < 3000; i++) {
      at.makeDirectory(RawPath.of("d"), 0700);
      Directory child = at.openChild(RawPath.of("d"));
      at.close();
      at = child;
    }
    at.close();
    try {
      assertThatThrownBy(() -> comparer.compare(List.of(), bind(tree), PLAIN))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("too long");
    } finally {
      new LinuxFiles().deleteTree(tree);
    }
  }
}
