package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.diff.processor.StreamProcessor;
import io.jcontainerd.diff.processor.StreamProcessors;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.testkit.leaks.LeakCheck;
import io.jcontainerd.testkit.time.Soon;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that go through programs of the test's own before they are unpacked. */
class StreamProcessorsTest {
  private static final String CODED = ApplyScene.GZIP + "+coded";
  private static final String TWICE = CODED + "+twice";
  private static final LayerLimits LIMITS = new LayerLimits(1 << 20, 0, 1000);

  @TempDir Path folder;
  private Path scratch;
  private LinuxProcesses processes;
  private ApplyScene scene;
  private LeakCheck leaks;
  private final List<StreamProcessor> all = new ArrayList<>();

  /** Of those that do nothing; all others move as fast as a busy machine lets them. */
  private Duration patience = Duration.ofSeconds(60);

  @BeforeEach
  void open() throws IOException {
    scratch = Files.createDirectory(folder.resolve("scratch"));
    processes = LinuxProcesses.open();
    scene = new ApplyScene(folder.resolve("scene"), LIMITS);
    leaks = LeakCheck.begin(scratch, scratch.toString());
  }

  @AfterEach
  void close() throws IOException {
    leaks.assertNothingLeft();
    processes.close();
  }

  private void processor(String id, String accepts, String returns, String script) {
    all.add(
        new StreamProcessor(
            id,
            List.of(accepts),
            returns,
            "/bin/sh",
            List.of("-c", script, scratch.toString()), // the path is the mark of its processes
            Map.of("KEY", "a key")));
  }

  private Descriptor apply(byte[] blob, String type, Map<String, TypedValue> payloads) {
    var processors =
        new StreamProcessors(all, processes, Map.of("PATH", "/usr/bin:/bin"), patience);
    return Call.in("test")
        .call(
            () ->
                scene
                    .applier
                    .through(processors)
                    .apply(
                        scene.blob(blob, type),
                        ApplyScene.bind(tree()),
                        new Applier.Options(payloads, false)));
  }

  private Descriptor apply(byte[] blob, String type) {
    return apply(blob, type, Map.of());
  }

  private Path tree() {
    try {
      return scene.fresh("tree");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] tar() {
    return new Tars().file("hello", "world").end();
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    var packed = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(packed)) {
      out.write(plain);
    }
    return packed.toByteArray();
  }

  private static byte[] base64(byte[] plain) {
    return Base64.getMimeEncoder(76, new byte[] {'\n'}).encode(plain);
  }

  private void assertApplied(Descriptor plain) throws IOException {
    assertThat(plain).isEqualTo(new Descriptor(ApplyScene.TAR, Digest.sha256(tar()), tar().length));
    assertThat(tree().resolve("hello")).hasContent("world");
  }

  @Test
  void a_layer_goes_through_a_program() throws Exception {
    processor("decode", CODED, ApplyScene.GZIP, "exec base64 -d");
    assertApplied(apply(base64(gzip(tar())), CODED));
  }

  @Test
  void a_layer_goes_through_as_many_programs_as_it_takes() throws Exception {
    processor("decode", CODED, ApplyScene.GZIP, "exec base64 -d");
    processor("outer", TWICE, CODED, "exec base64 -d");
    assertApplied(apply(base64(base64(gzip(tar()))), TWICE));
  }

  @Test
  void what_we_know_ourselves_may_be_done_by_a_program() throws Exception {
    processor("mine", ApplyScene.GZIP, ApplyScene.TAR, "touch $0/used; exec gzip -dc");
    assertApplied(apply(gzip(tar()), ApplyScene.GZIP));
    Files.delete(scratch.resolve("used"));
  }

  @Test
  void other_layers_go_through_none() throws Exception {
    processor("decode", CODED, ApplyScene.GZIP, "exit 1");
    assertApplied(apply(gzip(tar()), ApplyScene.GZIP));
  }

  @Test
  void a_program_is_told_the_media_type_the_environment_and_the_payload() throws Exception {
    processor(
        "decode",
        CODED,
        ApplyScene.GZIP,
        "echo $STREAM_PROCESSOR_MEDIATYPE $KEY > $0/told; cat <&3 >> $0/told; exec base64 -d");
    byte[] value = "v".repeat(200).getBytes(StandardCharsets.UTF_8);
    assertApplied(
        apply(
            base64(gzip(tar())),
            CODED,
            Map.of(
                "decode", new TypedValue("some/type", value),
                "other", new TypedValue("some/type", new byte[] {1}))));
    // google.protobuf.Any: field 1 of 9 bytes, field 2 of 200
    assertThat(Files.readString(scratch.resolve("told"), StandardCharsets.ISO_8859_1))
        .isEqualTo(CODED + " a key\n\n\u0009some/type\u0012\u00c8\u0001" + "v".repeat(200));
    Files.delete(scratch.resolve("told"));
  }

  @Test
  void without_a_payload_there_is_nothing_at_descriptor_three() throws Exception {
    processor("decode", CODED, ApplyScene.GZIP, "test ! -e /proc/self/fd/3 && exec base64 -d");
    assertApplied(apply(base64(gzip(tar())), CODED));
  }

  @Test
  void a_program_that_fails_is_named_with_what_it_says() {
    processor("decode", CODED, ApplyScene.GZIP, "echo no key for this layer >&2; exit 7");
    assertThatThrownBy(() -> apply(base64(tar()), CODED))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("layer sha256:")
        .hasMessageEndingWith("stream processor decode ended with status 7: no key for this layer");
  }

  @Test
  void a_program_that_fails_at_the_very_end_spoils_the_layer() {
    processor("decode", CODED, ApplyScene.GZIP, "base64 -d; echo bad tag >&2; exit 1");
    assertThatThrownBy(() -> apply(base64(gzip(tar())), CODED))
        .isInstanceOf(UnknownException.class)
        .hasMessageEndingWith("status 1: bad tag");
  }

  @Test
  void a_program_that_makes_nonsense_and_then_says_why_is_heard() {
    processor("decode", CODED, ApplyScene.GZIP, "rev; sleep 0.3; echo wrong key >&2; exit 1");
    assertThatThrownBy(() -> apply(base64(new byte[300_000]), CODED))
        .isInstanceOf(UnknownException.class)
        .hasMessageEndingWith("status 1: wrong key");
  }

  @Test
  void a_program_that_makes_nonsense_and_is_content_is_told_by_its_nonsense() {
    processor("decode", CODED, ApplyScene.GZIP, "exec cat");
    assertThatThrownBy(() -> apply(base64(tar()), CODED))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("not gzip although its media type says so");
  }

  @Test
  void a_program_that_is_killed_leaves_half_a_layer_which_is_refused() {
    processor("decode", CODED, ApplyScene.TAR, "head -c 1000; kill -9 $$");
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(UnknownException.class)
        .hasMessageEndingWith("stream processor decode ended with status 137");
  }

  @Test
  void a_program_that_is_not_there_is_named() {
    all.add(
        new StreamProcessor(
            "decode", List.of(CODED), ApplyScene.GZIP, "/no/such", List.of(), Map.of()));
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("of media type " + CODED)
        .hasMessageContaining("/no/such");
  }

  @Test
  void a_program_that_does_nothing_is_killed() {
    patience = Duration.ofMillis(1500);
    processor("decode", CODED, ApplyScene.GZIP, "sleep 1000 & exec sleep 1000");
    assertThatThrownBy(() -> apply(new byte[1 << 20], CODED))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining(
            "stream processors [decode] moved nothing for 1500 ms and were killed");
  }

  @Test
  void a_program_that_reads_and_writes_nothing_is_killed() {
    patience = Duration.ofMillis(1500);
    processor("decode", CODED, ApplyScene.GZIP, "cat >/dev/null; exec sleep 1000");
    assertThatThrownBy(() -> apply(new byte[1 << 20], CODED))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("moved nothing");
  }

  @Test
  void a_program_that_closes_its_output_and_stays_is_killed() throws Exception {
    patience = Duration.ofSeconds(5); // in which it has to come to that
    processor("decode", CODED, ApplyScene.GZIP, "base64 -d; exec >&-; exec sleep 1000");
    assertThatThrownBy(() -> apply(base64(gzip(tar())), CODED))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("stream processor decode has closed its output and does not end");
  }

  @Test
  void a_program_need_not_read_what_it_does_not_need() throws Exception {
    Path layer = Files.write(scratch.resolve("layer"), tar());
    processor("decode", CODED, ApplyScene.TAR, "exec cat $0/layer");
    assertApplied(apply(new byte[1 << 20], CODED));
    Files.delete(layer);
  }

  @Test
  void a_program_that_writes_for_ever_is_stopped() {
    processor("decode", CODED, ApplyScene.TAR, "exec cat /dev/zero");
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining(String.valueOf(1 << 20));
  }

  @Test
  void a_program_that_packs_nothing_for_ever_is_stopped() throws Exception {
    // members of gzip that hold no byte: the limit of plain bytes never sees them
    var members = new ByteArrayOutputStream();
    for (int i = 0; i < 1000; i++) {
      members.writeBytes(gzip(new byte[0]));
    }
    Path file = Files.write(scratch.resolve("members"), members.toByteArray());
    processor("decode", CODED, ApplyScene.GZIP, "while :; do cat $0/members; done");
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("stream processors [decode] make more than 1048576 bytes");
    Files.delete(file);
  }

  @Test
  void a_program_that_complains_for_ever_fills_no_memory() {
    processor("decode", CODED, ApplyScene.GZIP, "yes error | head -c 5000000 >&2; exit 1");
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(UnknownException.class)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(3000).endsWith("…"));
  }

  @Test
  void programs_in_a_circle_are_refused() {
    processor("there", CODED, TWICE, "exec cat");
    processor("back", TWICE, CODED, "exec cat");
    assertThatThrownBy(() -> apply(tar(), CODED))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("[there, back] go round in a circle");
  }

  @Test
  void programs_that_lead_nowhere_are_not_begun() {
    processor("decode", TWICE, CODED, "exec cat");
    assertThatThrownBy(() -> apply(tar(), TWICE))
        .isInstanceOf(NotImplementedException.class)
        .hasMessageEndingWith("media type " + CODED);
  }

  @Test
  void whoever_waits_for_a_program_can_be_interrupted() throws Exception {
    processor("decode", CODED, ApplyScene.GZIP, "touch $0/begun; exec sleep 1000");
    FutureTask<Descriptor> applying = new FutureTask<>(() -> apply(tar(), CODED));
    Thread thread = Thread.ofPlatform().start(applying);
    Path begun = scratch.resolve("begun");
    Soon.until("the program runs", () -> Files.exists(begun));
    thread.interrupt();
    thread.join();
    Files.delete(begun);
    assertThatThrownBy(applying::get).hasCauseInstanceOf(CancelledException.class);
  }
}
