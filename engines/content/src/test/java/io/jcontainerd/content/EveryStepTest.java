package io.jcontainerd.content;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.testkit.faults.Faults;
import io.jcontainerd.testkit.faults.SimulatedCrash;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.files.Survival;
import io.jcontainerd.testkit.time.VirtualTime;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Writing, aborting and deleting, with every single file operation going wrong in turn. */
class EveryStepTest {
  private static final Path ROOT = Path.of("/root");
  private static final byte[] BYTES = "some bytes of a layer".getBytes(StandardCharsets.UTF_8);
  private static final Digest DIGEST = Digest.sha256(BYTES);

  private static ContentStore open(Files files, String boot) {
    return LocalContentStore.open(ROOT, files, new VirtualTime(), boot);
  }

  private static void writeBlob(ContentStore store) {
    try (Ingest ingest = store.ingest(new IngestRequest("ref"))) {
      long offset = ingest.status().offset();
      ingest.write(ByteBuffer.wrap(BYTES, (int) offset, (int) (BYTES.length - offset)));
      ingest.commit(BYTES.length, Optional.of(DIGEST), Map.of());
    }
  }

  private static void writeHalf(ContentStore store) {
    try (Ingest ingest = store.ingest(new IngestRequest("ref"))) {
      ingest.write(ByteBuffer.wrap(BYTES, 0, 7));
    }
  }

  private static void readable(ContentStore store) {
    try (ContentReader reader = store.reader(DIGEST)) {
      ByteBuffer all = ByteBuffer.allocate(BYTES.length);
      assertThat(reader.read(all, 0)).isEqualTo(BYTES.length);
      assertThat(all.array()).isEqualTo(BYTES);
    }
  }

  /** Nothing but whole blobs, whole ingests and the folders around them. */
  private static void tidy(InMemoryFiles files, ContentStore store) {
    int ingests = store.statuses(Filter.ALL).size();
    long folders =
        files.tree().stream().filter(path -> path.matches("/root/ingest/[^/]+/")).count();
    assertThat(folders).as("ingest folders in %s", files.tree()).isEqualTo(ingests);
    store.walk(Filter.ALL, info -> readable(store));
    assertThat(files.openHandles()).isZero();
  }

  private static int calls(Consumer<ContentStore> before, Consumer<ContentStore> action) {
    var files = new InMemoryFiles();
    before.accept(open(files, "boot"));
    Faults faults = Faults.none();
    action.accept(open(faults.watch(Files.class, files), "boot"));
    assertThat(faults.calls()).hasSizeGreaterThan(5);
    return faults.calls().size();
  }

  private record Failure(String name, Class<?> shown, Faults.Failure failure) {}

  private static final List<Failure> FAILURES =
      List.of(
          new Failure(
              "full", ResourceExhaustedException.class, call -> new NoSpaceException("a file")),
          new Failure(
              "broken",
              UnknownException.class,
              call -> new FileSystemException("a file", null, "input/output error")));

  /**
   * @param after what must hold for the store once it works again; told whether the action failed
   */
  private static void failEverywhere(
      Consumer<ContentStore> before, Consumer<ContentStore> action, Consumer<ContentStore> after) {
    int calls = calls(before, action);
    for (Failure failure : FAILURES) {
      for (int n = 1; n <= calls; n++) {
        var files = new InMemoryFiles();
        before.accept(open(files, "boot"));
        Faults faults = Faults.failing(n, failure.failure());
        try {
          action.accept(open(faults.watch(Files.class, files), "boot"));
        } catch (ContainerdException e) {
          assertThat(e)
              .as("%s at %s", failure.name(), faults.calls())
              .isInstanceOf(failure.shown());
          assertThat(e.getMessage()).matches("(content|ingest ref ref|content store /root).*: .+");
        }
        assertThat(faults.struck()).isTrue();
        assertThat(files.openHandles()).as("handles after %s", faults.calls()).isZero();
        ContentStore again = open(files, "boot");
        tidy(files, again);
        after.accept(again);
        tidy(files, again);
      }
    }
  }

  private static void dieEverywhere(
      Consumer<ContentStore> before, Consumer<ContentStore> action, Consumer<ContentStore> after) {
    int calls = calls(before, action);
    for (int n = 1; n <= calls; n++) {
      var files = new InMemoryFiles();
      before.accept(open(files, "boot"));
      files.forceAll();
      int number = n;
      Faults faults = Faults.crashing(n);
      assertThatThrownBy(() -> action.accept(open(faults.watch(Files.class, files), "boot")))
          .as("crash at call %d", number)
          .isInstanceOf(SimulatedCrash.class);
      for (Survival survival : Survival.values()) {
        InMemoryFiles survivor = files.afterPowerCut(survival);
        ContentStore again = open(survivor, survival == Survival.ALL ? "boot" : "next-boot");
        tidy(survivor, again);
        after.accept(again);
        tidy(survivor, again);
      }
    }
  }

  private static void finish(ContentStore store) {
    try {
      writeBlob(store);
    } catch (AlreadyExistsException _) {
      // The commit had come that far.
    }
    readable(store);
    assertThat(store.statuses(Filter.ALL)).isEmpty();
  }

  private static void gone(ContentStore store) {
    if (store.find(DIGEST).isPresent()) {
      store.delete(DIGEST);
    }
    assertThat(store.find(DIGEST)).isEmpty();
  }

  private static void aborted(ContentStore store) {
    try {
      store.abort("ref");
    } catch (NotFoundException _) {
      // The abort had come that far.
    }
    assertThat(store.statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void a_failure_at_any_step_of_writing_a_blob_leaves_it_to_be_finished() {
    failEverywhere(_ -> {}, EveryStepTest::writeBlob, EveryStepTest::finish);
  }

  @Test
  void a_failure_at_any_step_of_resuming_leaves_it_to_be_finished() {
    failEverywhere(EveryStepTest::writeHalf, EveryStepTest::writeBlob, EveryStepTest::finish);
  }

  @Test
  void a_failure_at_any_step_of_aborting_leaves_the_ingest_whole_or_gone() {
    failEverywhere(EveryStepTest::writeHalf, store -> store.abort("ref"), EveryStepTest::aborted);
  }

  @Test
  void a_failure_at_any_step_of_deleting_leaves_the_blob_whole_or_gone() {
    failEverywhere(EveryStepTest::writeBlob, store -> store.delete(DIGEST), EveryStepTest::gone);
  }

  @Test
  void death_at_any_step_of_writing_a_blob_leaves_it_to_be_finished() {
    dieEverywhere(_ -> {}, EveryStepTest::writeBlob, EveryStepTest::finish);
  }

  @Test
  void death_at_any_step_of_resuming_leaves_it_to_be_finished() {
    dieEverywhere(EveryStepTest::writeHalf, EveryStepTest::writeBlob, EveryStepTest::finish);
  }

  @Test
  void death_at_any_step_of_aborting_leaves_the_ingest_whole_or_gone() {
    dieEverywhere(EveryStepTest::writeHalf, store -> store.abort("ref"), EveryStepTest::aborted);
  }

  @Test
  void death_at_any_step_of_deleting_leaves_the_blob_whole_or_gone() {
    dieEverywhere(EveryStepTest::writeBlob, store -> store.delete(DIGEST), EveryStepTest::gone);
  }

  /** As after a power cut that brought back the folder and its texts, and none of the bytes. */
  @Test
  void bytes_that_were_never_forced_are_not_taken_up_after_a_reboot() throws Exception {
    for (String note : List.of("boot 0", "\0\0\0\0\0\0", "")) {
      var files = new InMemoryFiles();
      Ingest cut = open(files, "boot").ingest(new IngestRequest("ref"));
      cut.write(ByteBuffer.wrap(BYTES, 0, 7));
      Path folder =
          ROOT.resolve("ingest")
              .resolve(Digest.sha256("ref".getBytes(StandardCharsets.UTF_8)).hex());
      assertThat(files.readAll(folder.resolve("forced"))).asString().isEqualTo("boot 0");
      files.writeAll(folder.resolve("forced"), note.getBytes(StandardCharsets.UTF_8), 0644);
      files.writeAll(folder.resolve("data"), new byte[7], 0644);
      ContentStore again = open(files, "next-boot");
      try (Ingest resumed = again.ingest(new IngestRequest("ref"))) {
        assertThat(resumed.status().offset()).isZero();
      }
      finish(again);
      cut.close();
    }
  }
}
