package io.jcontainerd.diff;

import static io.jcontainerd.diff.ApplyScene.archive;
import static io.jcontainerd.diff.ApplyScene.bind;
import static io.jcontainerd.diff.ApplyScene.digest;
import static io.jcontainerd.diff.ApplyScene.overlay;
import static io.jcontainerd.diff.Shell.sh;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.MountInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("root")
class LayerApplierTest {
  /** A tree with one of everything. */
  static final String EVERYTHING =
      """
      umask 022
      mkdir -p bin etc/deep/er var/log sticky
      echo hello > bin/hello; chmod 4755 bin/hello; chown 3:4 bin/hello
      ln bin/hello bin/second
      ln -s ../bin/hello etc/link; chown -h 5:6 etc/link
      ln -s /nowhere/at/all etc/dangling
      mkfifo -m 640 var/fifo
      mknod dev-c c 1 3; mknod dev-b b 259 70000
      chmod 1777 sticky; chown 100000:200000 var/log; chmod 2750 var/log
      head -c 3000000 /dev/urandom > big
      : > empty
      name=$(printf 'n%.0s' $(seq 1 120)); mkdir -p $name/$name; echo long > $name/$name/$name
      ln -s $name/$name/$name longlink
      echo x > 'with space'; echo y > 'ümläut'
      python3 -c 'import os
      os.setxattr("bin/hello", "user.test", bytes([0,1,2,255,10,61]))
      os.setxattr("etc", "trusted.dir", b"on a folder")'
      setcap cap_net_raw+ep big
      find . -exec touch -h -d '2020-02-03T04:05:06.123456789Z' {} +
      """;

  @TempDir Path temp;
  private ApplyScene scene;

  @BeforeEach
  void make_a_scene() {
    scene = new ApplyScene(temp);
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    assertThat(MountInfo.read())
        .extracting(MountInfo::mountPoint)
        .noneMatch(point -> point.startsWith(temp.toString()));
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("unpack-") || name.startsWith("extract-"));
    Path mounts = temp.resolve("tmpmounts");
    if (Files.exists(mounts)) {
      try (var left = Files.list(mounts)) {
        assertThat(left).isEmpty();
      }
    }
  }

  @Test
  void an_apply_that_cannot_be_ended_is_told_of_by_the_operation_it_belongs_to() throws Exception {
    var registry = new OperationRegistry();
    var reading = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    var hanging =
        new ContentReader() {
          @Override
          public long size() {
            return 1024;
          }

          @Override
          public int read(ByteBuffer into, long position) {
            reading.countDown();
            while (gate.getCount() > 0) { // as a system call does, whatever interrupts
              boolean _ = Thread.interrupted();
              LockSupport.parkNanos(1_000_000);
            }
            return -1;
          }

          @Override
          public void close() {}
        };
    Descriptor layer = new Descriptor(ApplyScene.TAR, digest(new byte[1024]), 1024);
    List<Mount> mounts = bind(scene.fresh("target"));
    var failure = new AtomicReference<Throwable>();
    Thread applying =
        Thread.ofVirtual()
            .start(
                () -> {
                  try (RunningOperation apply = registry.begin("apply", "ns", "layer")) {
                    Descriptor _ =
                        apply.call(
                            () ->
                                scene.applier.apply(
                                    layer, hanging, mounts, new Applier.Options(Map.of(), false)));
                  } catch (CancelledException e) {
                    failure.set(e);
                  }
                });
    try (Operations.Watch watch = registry.watch(List.of())) {
      reading.await();
      applying.interrupt();
      Operation told;
      do {
        told = watch.next(Duration.ofSeconds(60)).orElseThrow().operation();
      } while (!told.stage().equals("end"));
      assertThat(told.waitsFor()).startsWith("thread unpack-").endsWith(", which was told to end");
      assertThat(applying.isAlive()).as("what it works with is not given back yet").isTrue();
    } finally {
      gate.countDown();
    }
    assertThat(applying.join(Duration.ofSeconds(60))).isTrue();
    assertThat(failure.get()).hasMessageContaining("apply interrupted");
  }

  private Path everything() throws Exception {
    Path source = scene.fresh("source");
    sh("cd $1; " + EVERYTHING, source.toString());
    return source;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=pax --xattrs --xattrs-include=*",
        "--format=posix --xattrs --xattrs-include=* --sort=name",
      })
  void everything_that_gnu_tar_packs_comes_back(String options) throws Exception {
    Path source = everything();
    byte[] tar = archive(source, "tar " + options + " -cf - .");
    Path target = scene.fresh("target");
    Descriptor applied = scene.apply(tar, target);
    assertThat(Trees.of(target)).isEqualTo(Trees.of(source));
    assertThat(applied.digest()).isEqualTo(digest(tar));
    assertThat(applied.size()).isEqualTo(tar.length);
    assertThat(applied.mediaType()).isEqualTo(ApplyScene.TAR);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gnu", "oldgnu"})
  void archives_of_gnu_forms_come_back_as_gnu_tar_unpacks_them(String format) throws Exception {
    Path source = everything();
    byte[] tar = archive(source, "tar --format=" + format + " -cf - .");
    Path target = scene.fresh("target");
    Path expected = scene.fresh("expected");
    Files.write(temp.resolve("tar"), tar);
    sh("tar -xpf $1/tar -C $1/expected", temp.toString());
    scene.apply(tar, target);
    assertThat(Trees.of(target)).isEqualTo(Trees.of(expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ustar", "v7"})
  void archives_of_old_forms_come_back_as_gnu_tar_unpacks_them(String format) throws Exception {
    Path source = scene.fresh("source");
    sh(
        "cd $1; mkdir -p a/b; echo 1 > a/b/c; ln a/b/c a/d; ln -s b a/e; chown 7:8 a/d;"
            + " p=$(printf 'p%.0s' $(seq 1 90)); [ $2 = v7 ] || { mkdir $p; echo x > $p/$p; }",
        source.toString(), format);
    byte[] tar = archive(source, "tar --format=" + format + " -cf - .");
    Path target = scene.fresh("target");
    Path expected = scene.fresh("expected");
    Files.write(temp.resolve("tar"), tar);
    sh("tar -xpf $1/tar -C $1/expected", temp.toString());
    scene.apply(tar, target);
    assertThat(Trees.of(target)).isEqualTo(Trees.of(expected));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gzip -c", "pigz -c -p 2", "gzip -9c", "zstd -c -q", "zstd -c -q -19 --long=24"})
  void packed_layers_are_recognised_and_have_the_plain_layers_digest(String packer)
      throws Exception {
    Path source = everything();
    byte[] tar = archive(source, "tar --xattrs --xattrs-include=* --format=pax -cf - .");
    Files.write(temp.resolve("tar"), tar);
    byte[] packed = archive(temp, packer + " < tar");
    Path target = scene.fresh("target");
    String type = packer.startsWith("zstd") ? ApplyScene.ZSTD : ApplyScene.GZIP;
    Descriptor applied = scene.apply(packed, type, bind(target));
    assertThat(Trees.of(target)).isEqualTo(Trees.of(source));
    assertThat(applied.digest()).isEqualTo(digest(tar));
    assertThat(applied.size()).isEqualTo(tar.length);
  }

  @Test
  void gzip_members_and_zstd_frames_in_a_row_are_one_stream() throws Exception {
    Path source = everything();
    byte[] tar = archive(source, "tar --xattrs --xattrs-include=* --format=pax -cf - .");
    Files.write(temp.resolve("tar"), tar);
    for (String packer : List.of("gzip -c", "zstd -qc")) {
      byte[] packed =
          archive(
              temp,
              "head -c 700 tar | %1$s; tail -c +701 tar | head -c 900000 | %1$s;".formatted(packer)
                  + " : | %1$s; tail -c +900701 tar | %1$s".formatted(packer));
      Path target = scene.fresh("target-" + packer.charAt(0));
      Descriptor applied =
          scene.apply(
              packed, packer.startsWith("z") ? ApplyScene.ZSTD : ApplyScene.GZIP, bind(target));
      assertThat(applied.digest()).isEqualTo(digest(tar));
      assertThat(Trees.of(target)).isEqualTo(Trees.of(source));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--sparse-version=1.0",
        "--sparse-version=0.1",
        "--sparse-version=0.0",
        "--format=gnu"
      })
  void files_with_holes_come_back_with_holes(String form) throws Exception {
    Path source = scene.fresh("source");
    sh(
        "cd $1; truncate -s 50m holes; for i in $(seq 1 40); do printf block$i |"
            + " dd of=holes bs=1 seek=$((i * 1000003)) conv=notrunc 2>/dev/null; done;"
            + " truncate -s 1m allhole; echo after > z",
        source.toString());
    String format = form.contains("gnu") ? form : "--format=pax " + form;
    byte[] tar = archive(source, "tar -S " + format + " -cf - holes allhole z");
    assertThat(tar.length).isLessThan(2_000_000);
    Path target = scene.fresh("target");
    scene.apply(tar, target);
    sh("for f in holes allhole z; do cmp $1/$f $2/$f; done", source.toString(), target.toString());
    assertThat(Long.parseLong(sh("stat -c %b $1/holes", target.toString()))).isLessThan(4000);
  }

  @Test
  void base_256_numbers_and_pax_numbers_are_read() throws Exception {
    Path target = scene.fresh("target");
    byte[] layer =
        new Tars()
            .pax("uid=3000000000", "gid=4000000000", "mtime=-1.25")
            .file("f", "x")
            .pax("size=3", "path=renamed")
            .header("short", '0', "", 0, 0600, 1, 2)
            .bytes("abc".getBytes(UTF_8))
            .end();
    scene.apply(layer, target);
    assertThat(sh("stat -c '%u %g %.9Y' $1/f", target.toString()))
        .isEqualTo("3000000000 4000000000 -1.250000000");
    assertThat(target.resolve("renamed")).hasContent("abc");
    Path source = scene.fresh("source");
    sh("cd $1; echo x > f; chown 3000000000:2999999999 f", source.toString());
    Path second = scene.fresh("second");
    scene.apply(archive(source, "tar --format=gnu -cf - f"), second);
    assertThat(sh("stat -c '%u %g' $1/f", second.toString())).isEqualTo("3000000000 2999999999");
  }

  @Test
  void global_pax_records_hold_until_a_local_one_says_otherwise() throws Exception {
    Path target = scene.fresh("target");
    scene.apply(
        new Tars()
            .pax('g', "uid=77", "comment=from git")
            .file("a", "")
            .pax("uid=78")
            .file("b", "")
            .file("c", "")
            .end(),
        target);
    assertThat(sh("cd $1; stat -c %u a b c", target.toString())).isEqualTo("77\n78\n77");
  }

  @Test
  void existing_entries_are_replaced_and_folders_keep_what_is_in_them() throws Exception {
    Path target = scene.fresh("target");
    sh("cd $1; mkdir -p d/keep was-dir/x; echo old > was-file; ln -s /etc l", target.toString());
    scene.apply(
        new Tars()
            .folder("d", 0700)
            .file("was-dir", "now a file")
            .folder("was-file")
            .file("was-file/in", "1")
            .file("l", "no link")
            .end(),
        target);
    assertThat(sh("cd $1; find . | sort; stat -c %a d", target.toString()))
        .isEqualTo(".\n./d\n./d/keep\n./l\n./was-dir\n./was-file\n./was-file/in\n700");
    assertThat(target.resolve("l")).hasContent("no link");
  }

  @Test
  void whiteouts_in_a_plain_tree_remove_what_was_there_but_nothing_of_this_layer()
      throws Exception {
    Path target = scene.fresh("target");
    sh(
        "cd $1; mkdir -p a/x/y opq/old/deep mix/old; touch a/f a/x/y/z opq/one mix/old/1 gone",
        target.toString());
    scene.apply(
        new Tars()
            .whiteout(".wh.gone")
            .whiteout("a/.wh.x")
            .whiteout("a/.wh.absent")
            .whiteout("not/there/.wh.x")
            .file("opq/new", "before the mark")
            .whiteout("opq/.wh..wh..opq")
            .file("opq/newer", "after the mark")
            .folder("mix/old")
            .file("mix/old/2", "")
            .whiteout("mix/.wh.old")
            .whiteout("a/.wh.f")
            .file("a/f", "again")
            .end(),
        target);
    assertThat(sh("cd $1; find . -mindepth 1 | sort", target.toString()))
        .isEqualTo("./a\n./a/f\n./mix\n./mix/old\n./mix/old/2\n./opq\n./opq/new\n./opq/newer");
    assertThat(target.resolve("a/f")).hasContent("again");
  }

  @Test
  void a_writable_overlay_gets_the_layer_in_its_upper_folder_and_shows_the_same_tree()
      throws Exception {
    Path base = scene.fresh("base");
    Path middle = scene.fresh("middle");
    sh(
        "cd $1; mkdir -p usr/lib/x usr/share opq/old d/sub; ln -s usr/lib lib; touch usr/lib/a gone"
            + " opq/1 d/sub/f; echo target > usr/share/t; chown 9:9 usr/share;"
            + " chmod 2711 usr/share; touch -d @1000000000.5 usr/share usr",
        base.toString());
    sh(
        "cd $1; mkdir -p usr/lib mid; echo from-middle > usr/lib/b; chown 8:8 usr/lib;"
            + " mknod removed c 0 0; touch -d @1100000000 usr/lib; python3 -c 'import os;"
            + " os.setxattr(\"usr/lib\",\"user.k\",b\"v\")'",
        middle.toString());
    byte[] layer =
        new Tars()
            .file("lib/through-link", "1")
            .file("usr/share/new", "2")
            .hardLink("hard", "usr/share/t")
            .whiteout(".wh.gone")
            .whiteout("opq/.wh..wh..opq")
            .file("opq/2", "3")
            .whiteout("d/.wh.sub")
            .folder("d/sub")
            .file("d/sub/g", "4")
            .end();
    Path upper = scene.fresh("upper");
    Path work = scene.fresh("work");
    List<Mount> mounts = overlay(upper, work, middle, base);
    scene.apply(layer, ApplyScene.TAR, mounts);
    assertThat(sh("cd $1; find . -mindepth 1 | sort | xargs", upper.toString()))
        .isEqualTo(
            "./d ./d/sub ./d/sub/g ./gone ./hard ./opq ./opq/2 ./usr ./usr/lib"
                + " ./usr/lib/through-link ./usr/share ./usr/share/new ./usr/share/t");
    assertThat(sh("cd $1; stat -c '%F %t:%T' gone", upper.toString()))
        .isEqualTo("character special file 0:0");
    assertThat(sh("cd $1; stat -c '%u %g %a %.9Y' usr/share usr/lib", upper.toString()))
        .isEqualTo("9 9 2711 1000000000.500000000\n8 8 755 1100000000.000000000");
    Path plain = scene.fresh("plain");
    scene.kernel.mount(mounts, plain);
    try {
      assertThat(sh("cd $1; find . -mindepth 1 | sort | xargs", plain.toString()))
          .isEqualTo(
              "./d ./d/sub ./d/sub/g ./hard ./lib ./mid ./opq ./opq/2 ./usr ./usr/lib ./usr/lib/a"
                  + " ./usr/lib/b ./usr/lib/through-link ./usr/lib/x ./usr/share ./usr/share/new"
                  + " ./usr/share/t");
      assertThat(sh("cd $1; cat hard; stat -c %h hard", plain.toString())).isEqualTo("target\n2");
      assertThat(
              sh(
                  "python3 -c 'import os,sys; print(os.getxattr(sys.argv[1]+\"/usr/lib\","
                      + "\"user.k\"))' $1",
                  plain.toString()))
          .isEqualTo("b'v'");
    } finally {
      scene.kernel.unmountAll(plain);
    }
  }

  @Test
  void an_overlay_applied_directly_equals_one_applied_through_its_mount() throws Exception {
    Path base = everything();
    Path change = scene.fresh("change");
    sh(
        "cd $1; mkdir -p etc/deep var; echo 1 > etc/deep/new; touch bin; touch 'etc/.wh.link'"
            + " var/.wh..wh..opq .wh.big; echo 2 > var/x; find . -exec touch -d @5 {} +",
        change.toString());
    byte[] layer = archive(change, "tar -cf - .");
    List<Mount> direct = overlay(scene.fresh("u1"), scene.fresh("w1"), base);
    List<Mount> mounted = overlay(scene.fresh("u2"), scene.fresh("w2"), base);
    scene.apply(layer, ApplyScene.TAR, direct);
    Path place = scene.fresh("place");
    scene.kernel.mount(mounted, place);
    try {
      scene.apply(layer, place);
      var expected = Trees.withoutTimes(place);
      scene.kernel.unmountAll(place);
      scene.kernel.mount(direct, place);
      assertThat(Trees.withoutTimes(place)).isEqualTo(expected);
    } finally {
      scene.kernel.unmountAll(place);
    }
  }

  @Test
  void a_tree_that_needs_mounting_is_mounted_for_the_while() throws Exception {
    Path image = temp.resolve("image");
    sh("truncate -s 8m $1; mkfs.ext4 -q $1", image.toString());
    List<Mount> mounts = List.of(new Mount("ext4", image.toString(), List.of("loop")));
    scene.applier.apply(
        scene.blob(new Tars().file("in/side", "1").end(), ApplyScene.TAR),
        mounts,
        new Applier.Options(Map.of(), true));
    Path place = scene.fresh("place");
    scene.kernel.mount(mounts, place);
    try {
      assertThat(place.resolve("in/side")).hasContent("1");
    } finally {
      scene.kernel.unmountAll(place);
    }
  }

  private static final String REBUILD =
      ": build the image anew without it, or do not use the image";

  @Test
  void entries_that_lead_out_of_the_tree_are_refused_by_name() throws Exception {
    Path target = scene.fresh("in/target");
    for (String name : List.of("../evil", "a/../../evil", "..")) {
      assertThatThrownBy(() -> scene.apply(new Tars().file(name, "x").end(), target))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("layer sha256:")
          .hasMessageContaining("\"" + name + "\" leads out of the tree" + REBUILD);
    }
    assertThatThrownBy(
            () -> scene.apply(new Tars().hardLink("l", "../../etc/passwd").end(), target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\"l\" links to \"../../etc/passwd\" outside the tree" + REBUILD);
    assertThat(temp.resolve("in/evil")).doesNotExist();
  }

  @Test
  void links_and_absolute_names_stay_inside_the_tree() throws Exception {
    Path outside = scene.fresh("outside");
    Files.writeString(outside.resolve("secret"), "s");
    Path target = scene.fresh("target");
    scene.apply(
        new Tars()
            .file("/abs/file", "1")
            .symlink("up", "../../../../../..")
            .file("up/through-up", "2")
            .symlink("out", outside.toString())
            .file("out/through-abs", "3")
            .symlink("self", "out")
            .file("self/again", "4")
            .whiteout("out/.wh.secret")
            .end(),
        target);
    assertThat(outside.resolve("secret")).exists();
    try (var left = Files.list(outside)) {
      assertThat(left).hasSize(1);
    }
    assertThat(target.resolve("abs/file")).hasContent("1");
    assertThat(target.resolve("through-up")).hasContent("2");
    Path inside = target.resolve(outside.toString().substring(1));
    assertThat(inside.resolve("through-abs")).hasContent("3");
    assertThat(inside.resolve("again")).hasContent("4");
    assertThatThrownBy(
            () ->
                scene.apply(
                    new Tars().symlink("x", "y").symlink("y", "x").file("x/f", "").end(), target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("too many links on the way to \"x\"");
  }

  @Test
  void a_replaced_link_is_not_followed_any_more() throws Exception {
    Path target = scene.fresh("target");
    scene.apply(
        new Tars()
            .folder("real")
            .symlink("way", "real")
            .file("way/one", "1")
            .folder("way")
            .file("way/two", "2")
            .end(),
        target);
    assertThat(sh("cd $1; find . -type f | sort", target.toString()))
        .isEqualTo("./real/one\n./way/two");
  }

  @Test
  void attributes_of_the_overlay_itself_are_not_taken_from_a_layer() throws Exception {
    Path upper = scene.fresh("upper");
    scene.apply(
        new Tars()
            .pax("SCHILY.xattr.trusted.overlay.redirect=/etc", "SCHILY.xattr.user.fine=1")
            .folder("d")
            .end(),
        ApplyScene.TAR,
        overlay(upper, scene.fresh("work"), scene.fresh("lower")));
    assertThat(Trees.withoutTimes(upper).get("./d")).isEqualTo("DIRECTORY 755 0:0 user.fine=31");
  }

  @Test
  void truncated_archives_are_refused_wherever_they_break_off() throws Exception {
    byte[] whole =
        new Tars().file("a", "x".repeat(700)).pax("path=long").file("b", "y").folder("c").end();
    for (int length = 1; length < whole.length - 1024; length += 37) {
      boolean betweenEntries = length % 512 == 0;
      boolean inPaddingOfA = length >= 512 + 700 && length < 1536;
      boolean inPaddingOfB = length > 3072 && length < 3584;
      if (betweenEntries || inPaddingOfA || inPaddingOfB) {
        continue; // umoci and others leave that out at the end, and it tells nothing
      }
      byte[] part = Arrays.copyOf(whole, length);
      Path target = scene.fresh("t" + length);
      assertThatThrownBy(() -> scene.apply(part, target))
          .as("the first %d bytes", length)
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("layer " + digest(part) + ": unexpected end of the archive in");
    }
  }

  @Test
  void the_padding_of_the_last_file_may_be_missing() throws Exception {
    byte[] whole = new Tars().file("a", "x".repeat(700)).end();
    for (int length = 512 + 700; length <= 1536; length += 54) {
      Path target = scene.fresh("p" + length);
      scene.apply(Arrays.copyOf(whole, length), target);
      assertThat(target.resolve("a")).hasContent("x".repeat(700));
    }
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  @Test
  void damaged_gzip_data_is_told_as_such() throws Exception {
    byte[] whole = gzip(new Tars().file("a", "some text ".repeat(5000)).end());
    Path target = scene.fresh("target");
    for (int cut : List.of(5, 12, whole.length / 2, whole.length - 4)) {
      byte[] part = Arrays.copyOf(whole, cut);
      assertThatThrownBy(() -> scene.apply(part, ApplyScene.GZIP, bind(target)))
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("layer " + digest(part) + ": gzip data ends");
    }
    byte[] wrongSum = whole.clone();
    wrongSum[whole.length - 6] ^= 1;
    assertThatThrownBy(() -> scene.apply(wrongSum, ApplyScene.GZIP, bind(target)))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("gzip checksum does not fit");
    byte[] garbage = Arrays.copyOf(whole, whole.length + 3);
    garbage[whole.length] = 'x';
    assertThatThrownBy(() -> scene.apply(garbage, ApplyScene.GZIP, bind(target)))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("garbage after the gzip data");
    scene.apply(Arrays.copyOf(whole, whole.length + 9), ApplyScene.GZIP, bind(target));
    byte[] noGzip = "neither gzip nor tar".repeat(50).getBytes(UTF_8);
    assertThatThrownBy(() -> scene.apply(noGzip, ApplyScene.GZIP, bind(target)))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("not gzip although its media type says so");
  }

  @Test
  void damaged_zstd_data_is_told_as_such() throws Exception {
    Files.write(temp.resolve("tar"), new Tars().file("a", "some text ".repeat(5000)).end());
    byte[] whole = archive(temp, "zstd -qc tar");
    Path target = scene.fresh("target");
    for (int cut : List.of(7, whole.length / 2, whole.length - 2)) {
      assertThatThrownBy(
              () -> scene.apply(Arrays.copyOf(whole, cut), ApplyScene.ZSTD, bind(target)))
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("zstd data ends in the middle");
    }
    byte[] wrong = whole.clone();
    wrong[whole.length - 1] ^= 1;
    assertThatThrownBy(() -> scene.apply(wrong, ApplyScene.ZSTD, bind(target)))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("corrupt zstd data");
  }

  @Test
  void a_claimed_size_is_not_believed() throws Exception {
    Path target = scene.fresh("target");
    byte[] bomb = new Tars().header("bomb", '0', "", 077777777777L, 0644, 0, 0).end();
    assertThatThrownBy(() -> scene.apply(bomb, target))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("unexpected end of the archive in entry \"bomb\"");
    byte[] pax = new Tars().pax("size=9223372036854775807").file("huge", "x").end();
    assertThatThrownBy(() -> scene.apply(pax, target))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("impossible size");
    byte[] header = new Tars().header("x", 'x', "", 077777777777L, 0644, 0, 0).end();
    assertThatThrownBy(() -> scene.apply(header, target))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("pax header of 8589934591 bytes");
  }

  @Test
  void links_to_what_is_not_there_and_files_in_the_way_are_refused_by_name() throws Exception {
    Path target = scene.fresh("target");
    assertThatThrownBy(() -> scene.apply(new Tars().hardLink("l", "absent").end(), target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\"l\" links to \"absent\", which is not in the tree");
    assertThatThrownBy(
            () -> scene.apply(new Tars().file("f", "").file("f/below", "").end(), target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\"f\" is not a folder");
    assertThatThrownBy(() -> scene.apply(new Tars().file("./", "").end(), target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("would replace the tree's root");
  }

  @Test
  void a_full_disk_is_told_as_such_and_leaves_nothing_mounted() throws Exception {
    byte[] layer = new Tars().file("big", "x".repeat(1 << 20)).end();
    assertThatThrownBy(
            () ->
                scene.apply(
                    layer, ApplyScene.TAR, List.of(new Mount("tmpfs", "t", List.of("size=256k")))))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("layer " + digest(layer))
        .hasMessageContaining("for entry \"big\"")
        .hasMessageContaining("no space left on device")
        .hasMessageEndingWith(": free some space");
  }

  @Test
  void what_follows_the_archive_counts_for_the_digest() throws Exception {
    byte[] layer = Arrays.copyOf(new Tars().file("a", "1").end(), 2_000_000);
    layer[1_999_999] = 7;
    assertThat(scene.apply(layer, scene.fresh("target")).digest()).isEqualTo(digest(layer));
  }

  @Test
  void an_empty_layer_is_a_layer() throws Exception {
    assertThat(scene.apply(new byte[1024], scene.fresh("target")).size()).isEqualTo(1024);
    assertThat(scene.apply(new byte[0], scene.fresh("target")).size()).isZero();
  }

  @Test
  void unknown_media_types_and_absent_blobs_have_their_own_failures() throws Exception {
    Path target = scene.fresh("target");
    assertThatThrownBy(() -> scene.apply(new byte[1024], "application/x-other", bind(target)))
        .isInstanceOf(NotImplementedException.class)
        .hasMessageContaining("application/x-other");
    Descriptor absent = new Descriptor(ApplyScene.TAR, digest(new byte[1]), 1);
    assertThatThrownBy(
            () -> scene.applier.apply(absent, bind(target), new Applier.Options(Map.of(), false)))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void many_layers_are_applied_at_once() throws Exception {
    Path source = everything();
    byte[] packed = archive(source, "tar --xattrs --xattrs-include=* --format=pax -czf - .");
    var expected = Trees.of(source);
    List<Thread> threads =
        IntStream.range(0, 6)
            .mapToObj(
                i ->
                    Thread.ofVirtual()
                        .start(
                            () -> {
                              try {
                                Path target = scene.fresh("many" + i);
                                scene.apply(packed, ApplyScene.GZIP, bind(target));
                              } catch (IOException e) {
                                throw new UncheckedIOException(e);
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    for (int i = 0; i < 6; i++) {
      assertThat(Trees.of(temp.resolve("many" + i))).isEqualTo(expected);
    }
  }

  @Test
  void an_interrupted_apply_ends_at_once_although_the_blob_hangs() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    ContentReader hanging =
        new ContentReader() {
          @Override
          public long size() {
            return 1 << 20;
          }

          @Override
          public int read(ByteBuffer into, long position) {
            reading.countDown();
            try {
              new CountDownLatch(1).await();
              return -1;
            } catch (InterruptedException e) {
              throw new CancelledException("reading was interrupted");
            }
          }

          @Override
          public void close() {}
        };
    ContentStore store =
        (ContentStore)
            Proxy.newProxyInstance(
                ContentStore.class.getClassLoader(),
                new Class<?>[] {ContentStore.class},
                (_, _, _) -> hanging);
    LayerApplier applier = new LayerApplier(store, scene.mounter, LayerLimits.USUAL, false);
    Path target = scene.fresh("target");
    AtomicReference<RuntimeException> outcome = new AtomicReference<>();
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    applier.apply(
                        new Descriptor(ApplyScene.TAR, digest(new byte[0]), 1),
                        bind(target),
                        new Applier.Options(Map.of(), false));
                  } catch (RuntimeException e) {
                    outcome.set(e);
                  }
                });
    assertThat(reading.await(60, TimeUnit.SECONDS)).isTrue();
    thread.interrupt();
    assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
    assertThat(outcome.get())
        .isInstanceOf(CancelledException.class)
        .hasMessageContaining("apply interrupted");
  }

  @Test
  void names_that_no_kernel_takes_are_refused_before_anything_is_made() throws Exception {
    Path target = scene.fresh("target");
    String deep = "a/".repeat(6000) + "file";
    String wide = "w".repeat(256);
    for (byte[] layer :
        List.of(
            new Tars().pax("path=" + deep).file("short", "x").end(),
            new Tars().pax("path=" + wide).file("short", "x").end(),
            new Tars().pax("linkpath=" + deep).symlink("link", "short").end(),
            new Tars().pax("linkpath=" + deep).hardLink("link", "short").end())) {
      assertThatThrownBy(() -> scene.apply(layer, target))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("too long");
    }
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void the_longest_name_is_taken_and_links_cannot_make_it_longer() throws Exception {
    Path target = scene.fresh("target");
    String deep = "a/".repeat(2045) + "file";
    scene.apply(new Tars().pax("path=" + deep).file("short", "x").end(), target);
    assertThat(sh("find $1 -type f | wc -l", target.toString())).isEqualTo("1");
    byte[] behindLink =
        new Tars()
            .pax("linkpath=" + "b/".repeat(1500))
            .symlink("link", "")
            .folder("b")
            .pax("path=" + "b/".repeat(1500))
            .folder("short")
            .pax("path=link/" + "c/".repeat(1500) + "file")
            .file("short", "x")
            .end();
    assertThatThrownBy(() -> scene.apply(behindLink, target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("too long");
    new LinuxFiles().deleteTree(target);
  }

  @Test
  void whiteouts_are_told_from_new_files_among_very_many_entries() throws Exception {
    Path target = scene.fresh("target");
    Path lower = target.resolve("d");
    Files.createDirectory(lower);
    Tars tars = new Tars();
    for (int i = 0; i < 3000; i++) {
      tars.file("d/new" + i, "");
    }
    for (int i = 0; i < 50; i++) {
      Files.createFile(lower.resolve("old" + i));
      tars.whiteout("d/.wh.old" + i);
      tars.whiteout("d/.wh.new" + i);
    }
    scene.apply(tars.end(), target);
    try (var left = Files.list(lower)) {
      assertThat(left).hasSize(3000).noneMatch(path -> path.toString().contains("old"));
    }
  }

  @Test
  void attributes_of_users_on_what_cannot_have_them_are_left_out() throws Exception {
    Path target = scene.fresh("target");
    byte[] layer =
        new Tars()
            .pax("SCHILY.xattr.user.note=x")
            .symlink("link", "nowhere")
            .pax("SCHILY.xattr.user.note=x")
            .header("fifo", '6', "", 0, 0644, 0, 0)
            .pax("SCHILY.xattr.user.note=x")
            .file("file", "x")
            .end();
    scene.apply(layer, target);
    assertThat(Files.isSymbolicLink(target.resolve("link"))).isTrue();
    assertThat(Files.exists(target.resolve("fifo"))).isTrue();
    assertThat(Files.getAttribute(target.resolve("file"), "user:note"))
        .isEqualTo("x".getBytes(UTF_8));
  }

  @Test
  void device_numbers_that_no_kernel_has_are_refused() throws Exception {
    Path target = scene.fresh("target");
    for (long[] numbers :
        List.of(
            new long[] {4294967297L, 4294967299L},
            new long[] {4294967296L, 4294967296L},
            new long[] {4096, 0},
            new long[] {0, 1 << 20})) {
      byte[] device = new Tars().device("dev", '3', numbers[0], numbers[1]).end();
      assertThatThrownBy(() -> scene.apply(device, target))
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("\"dev\"")
          .hasMessageContaining("out of range");
    }
    assertThat(target).isEmptyDirectory();
    scene.apply(new Tars().device("dev", '3', 4095, (1 << 20) - 1).end(), target);
    assertThat(sh("stat -c '%t:%T' $1/dev", target.toString())).isEqualTo("fff:fffff");
  }

  @Test
  void a_hard_link_to_something_below_itself_is_refused() throws Exception {
    Path target = scene.fresh("target");
    byte[] layer = new Tars().file("a/b", "x").hardLink("a", "a/b").end();
    assertThatThrownBy(() -> scene.apply(layer, target))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("\"a\"")
        .hasMessageContaining("below itself");
  }

  @Test
  void records_that_pile_up_over_many_headers_are_refused() throws Exception {
    Path target = scene.fresh("target");
    Tars tars = new Tars();
    for (int i = 0; i < 3; i++) {
      tars.pax('g', "key" + i + "=" + "v".repeat(500_000));
    }
    assertThatThrownBy(() -> scene.apply(tars.file("file", "x").end(), target))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("pax records");
  }
}
