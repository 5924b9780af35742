package io.jcontainerd.diff;

import static io.jcontainerd.diff.RawTar.at;
import static io.jcontainerd.diff.RawTar.both;
import static io.jcontainerd.diff.RawTar.number;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;

/**
 * Layers made to do harm, and what must come of each: refused with a sentence that names the entry
 * and says why, or put into the tree and nowhere else.
 */
final class HostileLayers {
  /** The limits that the layers are applied under. */
  static final LayerLimits LIMITS = new LayerLimits(1L << 28, 0, 5_000);

  private static final long MOST = Long.MAX_VALUE;

  private HostileLayers() {}

  /** What must be seen in the tree. */
  interface Check {
    void of(Directory tree) throws IOException;
  }

  /** What must come of a layer. */
  sealed interface Outcome {
    /** Put in, all of it, within the tree. */
    record Contained(Check check) implements Outcome {}

    /** Refused with that failure, whose message has those parts. */
    record Refused(Class<? extends ContainerdException> kind, List<String> parts)
        implements Outcome {}

    /** One or the other, as the file system has it; a refusal has those parts. */
    record Either(List<String> parts) implements Outcome {}
  }

  /**
   * One layer.
   *
   * @param base a layer that lies below it
   * @param type its media type
   */
  record Hostile(
      String name, Optional<byte[]> base, String type, Supplier<byte[]> layer, Outcome outcome) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Outcome contained(Check check) {
    return new Outcome.Contained(check);
  }

  private static Outcome invalid(String... parts) {
    return new Outcome.Refused(InvalidArgumentException.class, List.of(parts));
  }

  private static Outcome broken(String... parts) {
    return new Outcome.Refused(DataLossException.class, List.of(parts));
  }

  private static Outcome tooMuch(String... parts) {
    return new Outcome.Refused(ResourceExhaustedException.class, List.of(parts));
  }

  private static Outcome refusedByKernel(String... parts) {
    return new Outcome.Refused(UnknownException.class, List.of(parts));
  }

  private static Hostile tar(String name, Supplier<byte[]> layer, Outcome outcome) {
    return new Hostile(name, Optional.empty(), ApplyScene.TAR, layer, outcome);
  }

  private static Hostile over(String name, byte[] base, Supplier<byte[]> layer, Outcome outcome) {
    return new Hostile(name, Optional.of(base), ApplyScene.TAR, layer, outcome);
  }

  static List<Hostile> all() {
    List<Hostile> all = new ArrayList<>();
    all.addAll(escapes());
    all.addAll(links());
    all.addAll(nodes());
    all.addAll(sizes());
    all.addAll(sparse());
    all.addAll(structure());
    all.addAll(records());
    all.addAll(whiteouts());
    all.addAll(names());
    all.addAll(metadata());
    all.addAll(many());
    all.addAll(packed());
    return all;
  }

  private static List<Hostile> escapes() {
    return List.of(
        tar(
            "a name that goes up",
            () -> new RawTar().file("../evil", "x").end(),
            invalid("entry \"../evil\" leads out of the tree")),
        tar(
            "a name that goes up further down",
            () -> new RawTar().file("a/../../evil", "x").end(),
            invalid("entry \"a/../../evil\" leads out of the tree")),
        tar(
            "a name that goes up within the tree",
            () -> new RawTar().file("a/b/../c", "x").end(),
            contained(tree -> assertThat(text(tree, "a/c")).isEqualTo("x"))),
        tar(
            "a folder named like the one above",
            () -> new RawTar().folder("../beside").end(),
            invalid("entry \"../beside\" leads out of the tree")),
        tar(
            "an absolute name",
            () -> new RawTar().file("/etc/canary", "x").end(),
            contained(tree -> assertThat(text(tree, "etc/canary")).isEqualTo("x"))),
        tar(
            "a name of many slashes and dots",
            () -> new RawTar().file("//.//./etc//canary", "x").end(),
            contained(tree -> assertThat(text(tree, "etc/canary")).isEqualTo("x"))),
        tar(
            "through an absolute symlink of the same layer",
            () -> new RawTar().symlink("out", "/etc").file("out/canary", "x").end(),
            contained(tree -> assertThat(text(tree, "etc/canary")).isEqualTo("x"))),
        tar(
            "through a relative symlink of the same layer",
            () -> new RawTar().symlink("out", "../../../..").file("out/canary", "x").end(),
            contained(tree -> assertThat(text(tree, "canary")).isEqualTo("x"))),
        tar(
            "through a chain of symlinks",
            () ->
                new RawTar()
                    .symlink("a", "b/..")
                    .symlink("b", "../c")
                    .symlink("c", "/../../d")
                    .file("a/canary", "x")
                    .end(),
            contained(tree -> assertThat(text(tree, "canary")).isEqualTo("x"))),
        tar(
            "through a symlink that leads to itself",
            () -> new RawTar().symlink("loop", "loop").file("loop/x", "x").end(),
            invalid("too many links on the way to \"loop\"")),
        over(
            "through a symlink of a lower layer",
            new RawTar().symlink("out", "../../beside").folder("safe").end(),
            () -> new RawTar().file("out/canary", "x").end(),
            contained(tree -> assertThat(text(tree, "beside/canary")).isEqualTo("x"))),
        over(
            "a file in place of a symlink of a lower layer",
            new RawTar().symlink("out", "/etc/canary").end(),
            () -> new RawTar().file("out", "x").end(),
            contained(tree -> assertThat(text(tree, "out")).isEqualTo("x"))),
        tar(
            "a file in place of a symlink of the same layer",
            () -> new RawTar().symlink("out", "/etc/canary").file("out", "x").end(),
            contained(tree -> assertThat(text(tree, "out")).isEqualTo("x"))),
        tar(
            "a folder in place of a symlink, with something in it",
            () -> new RawTar().symlink("out", "/etc").folder("out").file("out/canary", "x").end(),
            contained(
                tree -> {
                  assertThat(kind(tree, "out")).isEqualTo(FileStat.Type.DIRECTORY);
                  assertThat(text(tree, "out/canary")).isEqualTo("x");
                })));
  }

  private static List<Hostile> links() {
    return List.of(
        tar(
            "a hard link to what is above",
            () -> new RawTar().hardLink("l", "../etc/canary").end(),
            invalid("\"l\" links to \"../etc/canary\" outside the tree")),
        tar(
            "a hard link to an absolute name",
            () -> new RawTar().hardLink("l", "/etc/canary").end(),
            invalid("\"l\" links to \"/etc/canary\", which is not in the tree")),
        tar(
            "a hard link through a symlink",
            () -> new RawTar().symlink("out", "/").hardLink("l", "out/etc/canary").end(),
            invalid("\"l\" links to \"out/etc/canary\", which is not in the tree")),
        tar(
            "a hard link to a symlink, and a file through it",
            () -> new RawTar().symlink("s", "/etc/canary").hardLink("l", "s").file("l", "x").end(),
            contained(
                tree -> {
                  assertThat(kind(tree, "s")).isEqualTo(FileStat.Type.SYMLINK);
                  assertThat(text(tree, "l")).isEqualTo("x");
                })),
        tar(
            "a hard link to a folder",
            () -> new RawTar().folder("d").hardLink("l", "d").end(),
            new Outcome.Either(List.of("for entry \"l\"", "EPERM"))),
        tar(
            "a hard link to itself",
            () -> new RawTar().hardLink("l", "l").end(),
            invalid("\"l\" links to \"l\", which is not in the tree")),
        tar(
            "a hard link to the root",
            () -> new RawTar().hardLink("l", ".").end(),
            invalid("\"l\" links to \".\", which is not in the tree")),
        tar(
            "a symlink without a target",
            () -> new RawTar().symlink("s", "").end(),
            refusedByKernel("for entry \"s\"", "ENOENT")),
        tar(
            "a symlink of 5000 bytes",
            () -> new RawTar().longLink("x/".repeat(2500)).symlink("s", "x").end(),
            invalid("a path of 5000 bytes is too long")));
  }

  private static List<Hostile> nodes() {
    return List.of(
        tar(
            "device nodes",
            () ->
                new RawTar()
                    .header("disk", '4', "", 0, both(at(329, "0000010"), at(337, "0000000")))
                    .header("mem", '3', "", 0, both(at(329, "0000001"), at(337, "0000001")))
                    .end(),
            contained(
                tree -> {
                  assertThat(kind(tree, "disk")).isEqualTo(FileStat.Type.BLOCK_DEVICE);
                  assertThat(kind(tree, "mem")).isEqualTo(FileStat.Type.CHARACTER_DEVICE);
                })),
        tar(
            "a file below a device",
            () ->
                new RawTar()
                    .header("mem", '3', "", 0, both(at(329, "0000001"), at(337, "0000003")))
                    .file("mem/x", "x")
                    .end(),
            invalid("\"mem\" is not a folder")),
        tar(
            "a file below a pipe",
            () -> new RawTar().header("p", '6', "", 0).file("p/x", "x").end(),
            invalid("\"p\" is not a folder")),
        tar(
            "a pipe that is written to",
            () -> new RawTar().header("p", '6', "", 0).file("p", "x").end(),
            contained(tree -> assertThat(text(tree, "p")).isEqualTo("x"))),
        tar(
            "device numbers that no kernel has",
            () -> new RawTar().header("d", '3', "", 0, number(329, 8, 1L << 40)).end(),
            broken("device number", "entry \"d\"", "out of range")),
        tar(
            "an unknown type",
            () -> new RawTar().header("v", 'V', "", 0).end(),
            broken("entry \"v\" is of the unsupported type 86")));
  }

  private static List<Hostile> sizes() {
    return List.of(
        tar(
            "a size of 2^63-1 in base 256",
            () -> new RawTar().header("f", '0', "", 0, number(124, 12, MOST)).end(),
            broken("impossible size", "entry \"f\"")),
        tar(
            "a size of 2^63 in base 256",
            () ->
                new RawTar()
                    .header(
                        "f",
                        '0',
                        "",
                        0,
                        both(number(124, 12, 0), header -> header[128] = (byte) 0x80))
                    .end(),
            broken("size in a tar header is out of range", "entry \"f\"")),
        tar(
            "a negative size in base 256",
            () -> new RawTar().header("f", '0', "", 0, number(124, 12, -512)).end(),
            broken("impossible size -512", "entry \"f\"")),
        tar(
            "a negative size in pax",
            () -> new RawTar().pax("size=-1").file("f", "x").end(),
            broken("impossible size -1", "entry \"f\"")),
        tar(
            "a size beyond 64 bits in pax",
            () -> new RawTar().pax("size=9223372036854775808").file("f", "x").end(),
            broken("malformed pax record size=9223372036854775808")),
        tar(
            "a size that is no number",
            () -> new RawTar().header("f", '0', "", 0, at(124, "0000000008 ")).end(),
            broken("malformed size in a tar header", "entry \"f\"")),
        tar(
            "a size of 8 GiB for a body of one byte",
            () -> new RawTar().header("f", '0', "", 077777777777L).body(new byte[1]).end(),
            tooMuch("entry \"f\"", "more than 268435456 bytes")),
        tar(
            "a size of 128 MiB for a body of one byte",
            () -> new RawTar().header("f", '0', "", 1L << 27).body(new byte[1]).end(),
            broken("unexpected end of the archive in entry \"f\"")),
        tar(
            "a folder and a link with sizes",
            () ->
                new RawTar()
                    .header("d", '5', "", 512)
                    .header("l", '2', "d", 512)
                    .file("d/f", "x")
                    .end(),
            contained(tree -> assertThat(text(tree, "d/f")).isEqualTo("x"))));
  }

  private static String map(int segments) {
    StringBuilder map = new StringBuilder();
    for (int i = 0; i < segments; i++) {
      map.append(map.isEmpty() ? "" : ",").append(2L * i).append(",0");
    }
    return map.toString();
  }

  private static RawTar.Edit oldSparse(long offset, long length, long real) {
    return both(
        both(number(386, 12, offset), number(398, 12, length)),
        both(number(483, 12, real), header -> header[257] = ' '));
  }

  private static List<Hostile> sparse() {
    return List.of(
        tar(
            "an old GNU file of 2^62 bytes with holes",
            () -> new RawTar().header("f", 'S', "", 0, oldSparse(1L << 62, 0, 1L << 62)).end(),
            tooMuch("entry \"f\"", "holes included")),
        tar(
            "an old GNU file whose bytes lie beyond its end",
            () ->
                new RawTar()
                    .header("f", 'S', "", 512, oldSparse(MOST - 100, 512, 1000))
                    .body(new byte[512])
                    .end(),
            broken("malformed sparse map of entry \"f\"")),
        tar(
            "an old GNU file of negative offsets",
            () ->
                new RawTar()
                    .header("f", 'S', "", 512, oldSparse(-1, 512, 1000))
                    .body(new byte[512])
                    .end(),
            broken("malformed sparse map of entry \"f\"")),
        tar(
            "an old GNU file whose map never ends",
            () ->
                new RawTar()
                    .header("f", 'S', "", 0, both(oldSparse(0, 0, 1000), header -> header[482] = 1))
                    .raw(endlessMap())
                    .open(),
            broken("too many holes in entry \"f\"")),
        tar(
            "a pax 0.0 file of 2^60 bytes",
            () ->
                new RawTar()
                    .pax(
                        "GNU.sparse.size=" + (1L << 60),
                        "GNU.sparse.numblocks=1",
                        "GNU.sparse.offset=0",
                        "GNU.sparse.numbytes=1")
                    .file("f", "x")
                    .end(),
            tooMuch("entry \"f\"", "holes included")),
        tar(
            "a pax 0.0 file with an offset and no length",
            () -> new RawTar().pax("GNU.sparse.size=9", "GNU.sparse.offset=0").file("f", "x").end(),
            broken("malformed sparse map of entry \"f\"")),
        tar(
            "a pax 0.1 file of 2^60 bytes",
            () ->
                new RawTar()
                    .pax("GNU.sparse.size=" + (1L << 60), "GNU.sparse.map=0,1")
                    .file("f", "x")
                    .end(),
            tooMuch("entry \"f\"", "holes included")),
        tar(
            "a pax 0.1 file whose parts overlap",
            () ->
                new RawTar()
                    .pax("GNU.sparse.size=9", "GNU.sparse.map=4,1,3,1")
                    .file("f", "xx")
                    .end(),
            broken("malformed sparse map of entry \"f\"")),
        tar(
            "a pax 0.1 file of a hundred thousand holes",
            () ->
                new RawTar()
                    .pax("GNU.sparse.size=1000000", "GNU.sparse.map=" + map(100_000))
                    .file("f", "")
                    .end(),
            contained(tree -> assertThat(status(tree, "f").size()).isEqualTo(1_000_000))),
        tar(
            "a pax 0.1 file whose bytes are not those of its map",
            () ->
                new RawTar().pax("GNU.sparse.size=100", "GNU.sparse.map=0,50").file("f", "x").end(),
            broken("the sparse map of entry \"f\" does not fit its size")),
        tar(
            "a pax 1.0 file of 2^60 bytes",
            () -> sparse10(1L << 60, "1\n0\n1\n", 513),
            tooMuch("entry \"f\"", "holes included")),
        tar(
            "a pax 1.0 file that claims 2^59 parts",
            () -> sparse10(100, (1L << 59) + "\n", 512),
            broken("too many holes in entry \"f\"")),
        tar(
            "a pax 1.0 file whose map is cut short",
            () -> sparse10(100, "3\n0\n1\n", 512),
            broken("malformed sparse map of entry \"f\"")),
        tar(
            "a sparse file of an unknown format",
            () ->
                new RawTar()
                    .pax("GNU.sparse.major=1", "GNU.sparse.minor=7", "GNU.sparse.realsize=1")
                    .file("f", "x")
                    .end(),
            broken("unknown sparse format of entry \"f\"")));
  }

  private static byte[] endlessMap() {
    byte[] block = new byte[512];
    for (int i = 0; i < 21; i++) {
      RawTar.put(block, 24 * i, "00000000001");
      RawTar.put(block, 24 * i + 12, "00000000000");
    }
    block[504] = 1;
    byte[] blocks = new byte[512 * 7000];
    for (int i = 0; i < blocks.length; i += 512) {
      System.arraycopy(block, 0, blocks, i, 512);
    }
    return blocks;
  }

  private static byte[] sparse10(long real, String map, int size) {
    byte[] body = Arrays.copyOf(map.getBytes(UTF_8), size);
    return new RawTar()
        .pax(
            "GNU.sparse.major=1",
            "GNU.sparse.minor=0",
            "GNU.sparse.name=f",
            "GNU.sparse.realsize=" + real)
        .header("GNUSparseFile.0/f", '0', "", size)
        .body(body)
        .end();
  }

  private static List<Hostile> structure() {
    byte[] good = new RawTar().file("f", "x").end();
    byte[] wrongSum = good.clone();
    wrongSum[0] = 'g';
    byte[] lone = new RawTar().raw(new byte[512]).file("f", "x").end();
    byte[] after = Arrays.copyOf(good, good.length + 5000);
    Arrays.fill(after, good.length, after.length, (byte) 0x55);
    return List.of(
        tar("a wrong checksum", () -> wrongSum, broken("wrong checksum in the header of")),
        tar(
            "noise",
            () -> "not a tar archive at all, ".repeat(100).getBytes(UTF_8),
            broken("malformed checksum in a tar header", "the first entry")),
        tar("nothing", () -> new byte[0], contained(HostileLayers::isEmpty)),
        tar("only an end", () -> new byte[1024], contained(HostileLayers::isEmpty)),
        tar(
            "no end",
            () -> new RawTar().file("f", "x").open(),
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        tar(
            "neither padding nor end, as umoci leaves it",
            () -> Arrays.copyOf(new RawTar().file("f", "x".repeat(600)).open(), 512 + 600),
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x".repeat(600)))),
        tar(
            "half a header",
            () -> Arrays.copyOf(good, 300),
            broken("unexpected end of the archive in the first entry")),
        tar(
            "half a body",
            () -> Arrays.copyOf(new RawTar().file("f", "x".repeat(600)).open(), 512 + 300),
            broken("unexpected end of the archive in entry \"f\"")),
        tar(
            "half a pax header",
            () -> Arrays.copyOf(new RawTar().pax("path=" + "a".repeat(600)).open(), 700),
            broken("unexpected end of the archive")),
        tar(
            "an end after a pax header",
            () -> new RawTar().pax("path=x").end(),
            broken("the archive ends after an extended header")),
        tar(
            "a lone block of zeros",
            () -> lone,
            broken("a lone block of zeros before the first entry")),
        tar(
            "garbage after the end",
            () -> after,
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        tar(
            "an archive after the archive",
            () -> new RawTar().raw(good).file("../evil", "x").file("late", "x").end(),
            contained(
                tree -> {
                  assertThat(text(tree, "f")).isEqualTo("x");
                  assertThat(tree.find(RawPath.of("late"))).isEmpty();
                })),
        tar(
            "one name many times, in every kind",
            () ->
                new RawTar()
                    .file("n", "1")
                    .folder("n")
                    .file("n/below", "2")
                    .file("n", "3")
                    .symlink("n", "/etc")
                    .folder("n")
                    .file("n/canary", "4")
                    .header("n", '6', "", 0)
                    .folder("n")
                    .file("n/canary", "5")
                    .end(),
            contained(
                tree -> {
                  assertThat(text(tree, "n/canary")).isEqualTo("5");
                  assertThat(names(tree, "n")).containsExactly("canary");
                })),
        tar(
            "a file in place of the root",
            () -> new RawTar().file(".", "x").end(),
            invalid("entry \".\" would replace the tree's root")),
        tar(
            "a symlink in place of the root",
            () -> new RawTar().symlink("./", "/etc").end(),
            invalid("entry \"./\" would replace the tree's root")),
        tar(
            "an entry without a name",
            () -> new RawTar().file("", "x").end(),
            invalid("entry \"\" would replace the tree's root")));
  }

  private static List<Hostile> records() {
    return List.of(
        tar(
            "a pax record that is longer than its header",
            () -> new RawTar().paxBody('x', "999 path=x\n").file("f", "x").end(),
            broken("malformed pax header")),
        tar(
            "a pax record of length 0",
            () -> new RawTar().paxBody('x', "0 path=x\n").file("f", "x").end(),
            broken("malformed pax header")),
        tar(
            "a pax record of a length beyond 64 bits",
            () -> new RawTar().paxBody('x', "9".repeat(30) + " path=x\n").file("f", "x").end(),
            broken("malformed pax header")),
        tar(
            "a pax record without an equals sign",
            () -> new RawTar().paxBody('x', "8 path\n").file("f", "x").end(),
            broken("malformed pax header")),
        tar(
            "a pax record without a line feed",
            () -> new RawTar().paxBody('x', "10 path=xx").file("f", "x").end(),
            broken("malformed pax header")),
        tar(
            "a pax name with a NUL",
            () -> new RawTar().pax("path=a\0b").file("f", "x").end(),
            broken("a NUL byte in the name of")),
        tar(
            "a pax name that goes up",
            () -> new RawTar().pax("path=../evil").file("f", "x").end(),
            invalid("entry \"../evil\" leads out of the tree")),
        tar(
            "a global pax name that goes up",
            () -> new RawTar().paxBody('g', RawTar.records("path=../evil")).file("f", "x").end(),
            invalid("entry \"../evil\" leads out of the tree")),
        tar(
            "a pax header of 2 MiB",
            () -> new RawTar().pax("comment=" + "x".repeat(2 << 20)).file("f", "x").end(),
            broken("pax header of", "bytes before the first entry")),
        tar(
            "a pax header of a hundred thousand records",
            () -> new RawTar().paxBody('x', tinyRecords(100_000)).file("f", "x").end(),
            broken("pax header of more than 4096 records")),
        tar(
            "pax headers without end, always the same",
            () -> new RawTar().times(3000, tar -> tar.pax("comment=x")).open(),
            broken("the archive ends after an extended header")),
        tar(
            "pax headers without end, always others",
            () -> {
              RawTar tar = new RawTar();
              for (int i = 0; i < 5000; i++) {
                tar.pax("k" + i + "=v");
              }
              return tar.file("f", "x").end();
            },
            broken("4097 pax records of")),
        tar(
            "global pax headers without end",
            () -> {
              RawTar tar = new RawTar();
              for (int i = 0; i < 40; i++) {
                tar.paxBody('g', RawTar.records("k" + i + "=" + "v".repeat(30_000)));
              }
              return tar.file("f", "x").end();
            },
            broken("pax records of")),
        tar(
            "a GNU name of 2 MiB",
            () -> new RawTar().longName("x".repeat(2 << 20)).file("f", "x").end(),
            broken("long name of 2097153 bytes before the first entry")),
        tar(
            "GNU names without end",
            () -> new RawTar().times(2000, tar -> tar.longName("n")).file("f", "x").end(),
            contained(tree -> assertThat(text(tree, "n")).isEqualTo("x"))),
        tar(
            "a GNU name that goes up",
            () -> new RawTar().longName("../evil").file("f", "x").end(),
            invalid("entry \"../evil\" leads out of the tree")));
  }

  private static String tinyRecords(int count) {
    StringBuilder body = new StringBuilder();
    for (int i = 0; i < count; i++) {
      body.append(RawTar.records(Integer.toString(i, 36) + "=1"));
    }
    return body.toString();
  }

  private static List<Hostile> whiteouts() {
    byte[] base = new RawTar().folder("d").file("d/old", "old").file("old", "old").end();
    return List.of(
        over(
            "a whiteout of nothing",
            base,
            () -> new RawTar().file(".wh.", "").end(),
            invalid("entry \".wh.\" is a whiteout of nothing")),
        over(
            "a whiteout of the root",
            base,
            () -> new RawTar().file(".wh..", "").end(),
            invalid("entry \".wh..\" is a whiteout of nothing")),
        over(
            "a whiteout of what is above",
            base,
            () -> new RawTar().file("d/.wh...", "").end(),
            invalid("entry \"d/.wh...\" is a whiteout of nothing")),
        over(
            "a whiteout above the tree",
            base,
            () -> new RawTar().file("../.wh.etc", "").end(),
            invalid("entry \"../.wh.etc\" leads out of the tree")),
        over(
            "a whiteout through a symlink",
            new RawTar().symlink("out", "../../etc").folder("etc").file("etc/canary", "in").end(),
            () -> new RawTar().file("out/.wh.canary", "").end(),
            contained(tree -> assertThat(isHidden(tree, "etc", "canary")).isTrue())),
        over(
            "a whiteout of what is not there",
            base,
            () -> new RawTar().file("no/such/.wh.thing", "").file("f", "x").end(),
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        over(
            "a whiteout with a body",
            base,
            () -> new RawTar().file("d/.wh.old", "x".repeat(5000)).file("f", "x").end(),
            contained(
                tree -> {
                  assertThat(isHidden(tree, "d", "old")).isTrue();
                  assertThat(text(tree, "f")).isEqualTo("x");
                })),
        over(
            "the root made opaque",
            base,
            () -> new RawTar().file(".wh..wh..opq", "").file("f", "x").end(),
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        over(
            "an opaque whiteout of a file",
            base,
            () -> new RawTar().file("old/.wh..wh..opq", "").end(),
            new Outcome.Either(List.of("\"old\" is not a folder"))),
        over(
            "an opaque whiteout after what it would hide, twice",
            base,
            () ->
                new RawTar()
                    .file("d/new", "x")
                    .file("d/.wh..wh..opq", "")
                    .file("d/.wh..wh..opq", "")
                    .end(),
            contained(tree -> assertThat(names(tree, "d")).containsExactly("new"))),
        over(
            "a folder that is a whiteout",
            base,
            () -> new RawTar().folder("d/.wh.old").end(),
            contained(tree -> assertThat(isHidden(tree, "d", "old")).isTrue())),
        over(
            "something below a whiteout",
            base,
            () -> new RawTar().file(".wh.d/x", "x").end(),
            contained(tree -> assertThat(text(tree, ".wh.d/x")).isEqualTo("x"))));
  }

  private static List<Hostile> names() {
    String invalidUtf8 = "\u00ff\u00fe\u0080 \u00c3\u0028";
    return List.of(
        tar(
            "a name with a line feed",
            () -> new RawTar().file("a\nlevel=error msg=forged", "x").end(),
            contained(tree -> assertThat(text(tree, "a\nlevel=error msg=forged")).isEqualTo("x"))),
        tar(
            "a refused name with a line feed",
            () -> new RawTar().file("../a\nlevel=error", "x").end(),
            invalid("entry \"../a\\u000alevel=error\" leads out of the tree")),
        tar(
            "a name that is no UTF-8",
            () -> new RawTar().file(invalidUtf8, "x").symlink("s", invalidUtf8).end(),
            contained(
                tree -> {
                  assertThat(text(tree, invalidUtf8)).isEqualTo("x");
                  assertThat(tree.readSymlink(RawPath.of("s")).bytes())
                      .isEqualTo(invalidUtf8.getBytes(ISO_8859_1));
                })),
        tar(
            "a pax name that is no UTF-8",
            () -> new RawTar().pax("path=" + invalidUtf8).file("f", "x").end(),
            contained(tree -> assertThat(text(tree, invalidUtf8)).isEqualTo("x"))),
        tar(
            "a component of 255 bytes",
            () -> new RawTar().longName("c".repeat(255)).file("f", "x").end(),
            contained(tree -> assertThat(text(tree, "c".repeat(255))).isEqualTo("x"))),
        tar(
            "a component of 256 bytes",
            () -> new RawTar().longName("c".repeat(256)).file("f", "x").end(),
            invalid("of 256 bytes is too long for a name")),
        tar(
            "a name of 4096 bytes",
            () -> new RawTar().longName("ab/".repeat(1365) + "c").file("f", "x").end(),
            invalid("a path of 4096 bytes is too long")),
        tar(
            "ten thousand levels",
            () -> new RawTar().longName("d/".repeat(10_000)).folder("f").end(),
            invalid("a path of 20000 bytes is too long")),
        tar(
            "two thousand levels",
            () -> new RawTar().longName("d/".repeat(2000) + "f").file("f", "x").end(),
            contained(tree -> assertThat(kind(tree, "d")).isEqualTo(FileStat.Type.DIRECTORY))),
        tar(
            "ten thousand levels, one after the other",
            () -> {
              RawTar tar = new RawTar();
              for (int i = 1; i <= 10_000; i += 500) {
                tar.longName("d/".repeat(i)).folder("f");
              }
              return tar.end();
            },
            invalid("is too long")));
  }

  private static List<Hostile> metadata() {
    return List.of(
        tar(
            "all mode bits",
            () -> new RawTar().header("f", '0', "", 0, at(100, "7777777")).end(),
            contained(tree -> assertThat(status(tree, "f").mode()).isEqualTo(07777))),
        tar(
            "a mode beyond all bits",
            () -> new RawTar().header("f", '0', "", 0, number(100, 8, MOST)).end(),
            contained(tree -> assertThat(status(tree, "f").mode()).isEqualTo(07777))),
        tar(
            "a time of the far past",
            () -> new RawTar().header("f", '0', "", 0, number(136, 12, -1L << 40)).end(),
            contained(tree -> assertThat(status(tree, "f").modified()).isBefore(Instant.EPOCH))),
        tar(
            "a time of the far future",
            () -> new RawTar().pax("mtime=31556889864403199.9", "atime=-1.5").file("f", "x").end(),
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        tar(
            "a time beyond all",
            () -> new RawTar().header("f", '0', "", 0, number(136, 12, MOST)).end(),
            broken("the time of entry \"f\" is out of range")),
        tar(
            "a time that is no number",
            () -> new RawTar().pax("mtime=1.2.3").file("f", "x").end(),
            broken("malformed pax record mtime=1.2.3")),
        tar(
            "an owner beyond 32 bits",
            () -> new RawTar().pax("uid=4294967296").file("f", "x").end(),
            broken("uid 4294967296 of entry \"f\" is out of range")),
        tar(
            "an owner that means none",
            () -> new RawTar().pax("gid=4294967295").file("f", "x").end(),
            broken("gid 4294967295 of entry \"f\" is out of range")),
        tar(
            "a negative owner",
            () -> new RawTar().header("f", '0', "", 0, number(108, 8, -1)).end(),
            broken("uid -1 of entry \"f\" is out of range")),
        tar(
            "the greatest owner",
            () -> new RawTar().pax("uid=4294967294").file("f", "x").end(),
            contained(tree -> assertThat(status(tree, "f").uid()).isEqualTo(-2))),
        tar(
            "attributes of the overlay",
            () ->
                new RawTar()
                    .pax(
                        "SCHILY.xattr.trusted.overlay.opaque=y",
                        "SCHILY.xattr.trusted.overlay.redirect=/etc",
                        "SCHILY.xattr.user.overlay.opaque=y",
                        "SCHILY.xattr.security.ima=x",
                        "SCHILY.xattr.user.kept=y")
                    .folder("d")
                    .end(),
            contained(
                tree ->
                    assertThat(tree.attributes(RawPath.of("d")))
                        .filteredOn(name -> !name.equals(RawPath.of("security.selinux")))
                        .containsExactlyInAnyOrder(
                            RawPath.of("user.kept"), RawPath.of("security.ima")))),
        tar(
            "an attribute that is larger than any kernel takes",
            () ->
                new RawTar()
                    .pax("SCHILY.xattr.user.huge=" + "x".repeat(100_000))
                    .file("f", "x")
                    .end(),
            refusedByKernel("for entry \"f\"", "attribute user.huge")),
        tar(
            "an attribute whose name is longer than any kernel takes",
            () ->
                new RawTar()
                    .pax("SCHILY.xattr.user." + "n".repeat(300) + "=x")
                    .file("f", "x")
                    .end(),
            refusedByKernel("for entry \"f\"", "attribute user.nnn", "ERANGE")),
        tar(
            "capabilities that are none",
            () -> new RawTar().pax("SCHILY.xattr.security.capability=all").file("f", "x").end(),
            refusedByKernel("for entry \"f\"", "attribute security.capability", "EINVAL")));
  }

  private static List<Hostile> many() {
    return List.of(
        tar(
            "more entries than are allowed",
            () -> new RawTar().times(5_001, tar -> tar.file("f", "")).end(),
            tooMuch("entry \"f\": more entries than the 5000")),
        tar(
            "many hard links to one file",
            () -> {
              RawTar tar = new RawTar().file("f", "x");
              for (int i = 0; i < 3000; i++) {
                tar.hardLink("l" + i, "f");
              }
              return tar.end();
            },
            contained(tree -> assertThat(status(tree, "f").links()).isEqualTo(3001))),
        tar(
            "many folders with long names",
            () -> {
              RawTar tar = new RawTar();
              for (int i = 0; i < 4_900; i++) {
                tar.folder("d".repeat(80) + i);
              }
              return tar.end();
            },
            contained(tree -> assertThat(tree.names()).hasSize(4_900))));
  }

  private static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  /** A file of zeros that is longer than allowed, behind a header that is honest about it. */
  private static void bomb(OutputStream out, long size, boolean honest) throws IOException {
    out.write(
        honest
            ? new RawTar().header("bomb", '0', "", 0, number(124, 12, size)).open()
            : new RawTar().folder("d").end());
    byte[] zeros = new byte[1 << 20];
    for (long left = size; left > 0; left -= zeros.length) {
      out.write(zeros);
    }
  }

  private static byte[] gzipBomb(boolean honest) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(out, 1 << 16)) {
      bomb(gzip, (1L << 28) + (1 << 20), honest);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static byte[] zstdBomb() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream zstd = new ZstdOutputStream(out)) {
      bomb(zstd, (1L << 28) + (1 << 20), false);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static List<Hostile> packed() {
    byte[] good = new RawTar().file("f", "x").end();
    byte[] one = gzip(Arrays.copyOf(good, 700));
    byte[] two = gzip(Arrays.copyOfRange(good, 700, good.length));
    byte[] members = Arrays.copyOf(one, one.length + two.length);
    System.arraycopy(two, 0, members, one.length, two.length);
    byte[] trailing = Arrays.copyOf(gzip(good), gzip(good).length + 10);
    trailing[trailing.length - 1] = 7;
    byte[] endlessName = Arrays.copyOf(gzip(good), 100_000);
    endlessName[3] = 8;
    Arrays.fill(endlessName, 10, endlessName.length, (byte) 'n');
    byte[] window = Zstd.compress(good);
    byte[] hugeWindow = {
      window[0], window[1], window[2], window[3], 0, (byte) (31 - 10 << 3), 1, 0, 0
    };
    return List.of(
        new Hostile(
            "a gzip bomb in a file",
            Optional.empty(),
            ApplyScene.GZIP,
            () -> gzipBomb(true),
            tooMuch("entry \"bomb\"", "more than 268435456 bytes")),
        new Hostile(
            "a gzip bomb after the end",
            Optional.empty(),
            ApplyScene.GZIP,
            () -> gzipBomb(false),
            tooMuch("unpacks to more than 268435456 bytes")),
        new Hostile(
            "a zstd bomb after the end",
            Optional.empty(),
            ApplyScene.ZSTD,
            HostileLayers::zstdBomb,
            tooMuch("unpacks to more than 268435456 bytes")),
        new Hostile(
            "gzip members in a row",
            Optional.empty(),
            ApplyScene.GZIP,
            () -> members,
            contained(tree -> assertThat(text(tree, "f")).isEqualTo("x"))),
        new Hostile(
            "bytes after the gzip member",
            Optional.empty(),
            ApplyScene.GZIP,
            () -> trailing,
            broken("garbage after the gzip data")),
        new Hostile(
            "a gzip header whose name never ends",
            Optional.empty(),
            ApplyScene.GZIP,
            () -> endlessName,
            broken("gzip data ends in the middle")),
        new Hostile(
            "a zstd frame with a window of 2 GiB",
            Optional.empty(),
            ApplyScene.ZSTD,
            () -> hugeWindow,
            broken("corrupt zstd data")),
        new Hostile(
            "plain bytes that promise to be zstd",
            Optional.empty(),
            ApplyScene.ZSTD,
            () -> "neither".repeat(200).getBytes(UTF_8),
            broken("not zstd although its media type says so")));
  }

  // ---- looking at trees ----

  private interface Look<T> {
    T at(Directory folder, RawPath name) throws IOException;
  }

  /** Goes down without following anything. */
  private static <T> T look(Directory folder, RawPath path, Look<T> look) throws IOException {
    for (int i = 0; i < path.length(); i++) {
      if (path.byteAt(i) == '/') {
        try (Directory child = folder.openChild(path.slice(0, i))) {
          return look(child, path.from(i + 1), look);
        }
      }
    }
    return look.at(folder, path);
  }

  private static RawPath raw(String path) {
    return RawPath.of(path.getBytes(ISO_8859_1));
  }

  private static FileStat status(Directory tree, String path) throws IOException {
    return look(tree, raw(path), Directory::status);
  }

  private static FileStat.Type kind(Directory tree, String path) throws IOException {
    return status(tree, path).type();
  }

  private static List<String> names(Directory tree, String path) throws IOException {
    return look(
        tree,
        raw(path),
        (folder, name) -> {
          try (Directory child = folder.openChild(name)) {
            return child.names().stream().map(RawPath::toString).toList();
          }
        });
  }

  private static String text(Directory tree, String path) throws IOException {
    return look(
        tree,
        raw(path),
        (folder, name) -> {
          assertThat(folder.status(name).type()).isEqualTo(FileStat.Type.REGULAR);
          try (var file = folder.openFile(name)) {
            var bytes = ByteBuffer.allocateDirect((int) folder.status(name).size());
            file.read(bytes, 0);
            return UTF_8.decode(bytes.flip()).toString();
          }
        });
  }

  private static void isEmpty(Directory tree) throws IOException {
    assertThat(tree.names()).isEmpty();
  }

  /** Whether it is gone, or an overlay's mark is in its place. */
  private static boolean isHidden(Directory tree, String folder, String name) throws IOException {
    return look(
        tree,
        raw(folder + "/" + name),
        (in, file) ->
            in.find(file)
                .map(stat -> stat.type() == FileStat.Type.CHARACTER_DEVICE && stat.rdev() == 0)
                .orElse(true));
  }
}
