package io.jcontainerd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.grpc.StatusException;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc;
import io.jcontainerd.api.services.transfer.v1.TransferOptions;
import io.jcontainerd.api.services.transfer.v1.TransferRequest;
import io.jcontainerd.api.types.transfer.ContainerPath;
import io.jcontainerd.api.types.transfer.ImageExportStream;
import io.jcontainerd.api.types.transfer.ImageImportStream;
import io.jcontainerd.api.types.transfer.ImageStore;
import io.jcontainerd.api.types.transfer.OCIRegistry;
import io.jcontainerd.api.types.transfer.ReadStream;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.registry.RegistryCredential;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.services.Services;
import io.jcontainerd.services.StreamRegistry;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.ByteReceiver;
import io.jcontainerd.wire.streams.ByteSender;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The client and the services of streams and transfers, over a real socket. */
@Timeout(180)
class RemoteTransfersTest {
  private static final String REFERENCE = "registry.example/app:1";
  private static final Digest DIGEST = Digest.sha256(new byte[0]);
  private static final ImageSelection EVERYTHING =
      new ImageSelection(
          REFERENCE,
          Map.of("label", "value"),
          List.of(new Platform("linux", "arm", "v7"), new Platform("linux", "amd64", "")),
          true,
          3,
          List.of(new ExtraReference("more", true, true, true, true)),
          List.of(new UnpackTarget(new Platform("linux", "amd64", ""), "native")));

  @TempDir Path folder;
  private final ScriptedTransfers daemon = new ScriptedTransfers();
  private final InMemoryImageStore images = new InMemoryImageStore();
  private final StreamRegistry streams = new StreamRegistry(new InMemoryLeaseStore());
  private final List<TransferProgress> heard = Collections.synchronizedList(new ArrayList<>());
  private ServedStores served;
  private RemoteTransfers transfers;

  @BeforeEach
  void serve() throws IOException {
    served =
        new ServedStores(
            folder,
            List.of(
                Services.streaming(streams, Time.SYSTEM),
                Services.images(images, Time.SYSTEM),
                Services.transfer(daemon, streams, Time.SYSTEM)));
    transfers = served.client().transfers();
  }

  @AfterEach
  void close() throws InterruptedException {
    served.close();
  }

  @Test
  void a_pull_arrives_with_all_it_asks_for() {
    RegistryAccess access =
        new RegistryAccess(
            CredentialSource.NONE,
            Map.of("X-Header", "value"),
            "/etc/certs.d",
            "http",
            RegistryAccess.HttpDebug.BOTH,
            Optional.empty());
    PullRequest request = new PullRequest(new RemoteImage(REFERENCE, access), EVERYTHING);
    assertThat(transfers.pull(request, heard::add)).isEmpty();
    assertThat(daemon.asked).containsExactly(request);
    assertThat(daemon.calls.getFirst().namespace()).isEqualTo("contract");
    assertThat(daemon.calls.getFirst().lease()).isEmpty();
  }

  @Test
  void what_was_saved_is_returned_and_progress_comes_in_order() {
    Descriptor target = new Descriptor("application/vnd.oci.image.manifest.v1+json", DIGEST, 7);
    Call.in("contract")
        .run(
            () ->
                images.create(
                    new Image(REFERENCE, target, Map.of(), Instant.EPOCH, Instant.EPOCH),
                    Optional.empty()));
    List<TransferProgress> told =
        List.of(
            new TransferProgress("Resolving from " + REFERENCE),
            new TransferProgress(
                "downloading", "layer-x", List.of("manifest-y"), 5, 9, Optional.of(target)),
            new TransferProgress("saved", REFERENCE, List.of(), 0, 0, Optional.of(target)),
            new TransferProgress("Completed pull from " + REFERENCE));
    daemon.script = (_, listener) -> told.forEach(listener::progress);
    List<Image> saved =
        transfers.pull(
            new PullRequest(new RemoteImage(REFERENCE, RegistryAccess.USUAL), EVERYTHING),
            heard::add);
    assertThat(saved).extracting(Image::name).containsExactly(REFERENCE);
    assertThat(heard).containsExactlyElementsOf(told);
  }

  @Test
  void a_listener_that_is_slow_holds_nothing_up_and_hears_the_newest() {
    CountDownLatch release = new CountDownLatch(1);
    daemon.script =
        (_, listener) -> {
          for (int i = 0; i <= 100_000; i++) {
            listener.progress(
                new TransferProgress("downloading", "l", List.of(), i, 0, Optional.empty()));
          }
          listener.progress(
              new TransferProgress("complete", "l", List.of(), 0, 0, Optional.empty()));
          release.countDown();
        };
    push(
        progress -> {
          try {
            release.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          heard.add(progress);
        });
    assertThat(heard.getLast().event()).isEqualTo("complete");
    assertThat(heard)
        .filteredOn(progress -> progress.event().equals("downloading"))
        .last()
        .extracting(TransferProgress::progress)
        .isEqualTo(100_000L);
    assertThat(heard.size()).isLessThan(50_000);
  }

  @Test
  void the_daemon_asks_the_client_for_credentials() {
    var challenge =
        new CredentialSource.Challenge("registry.example", REFERENCE, List.of("Basic realm=\"x\""));
    List<RegistryCredential> all =
        List.of(
            RegistryCredential.None.NONE,
            new RegistryCredential.UserPassword("me", "secret"),
            new RegistryCredential.RefreshToken("refresh"),
            new RegistryCredential.Header("Bearer x", Optional.of(Instant.ofEpochSecond(99))),
            new RegistryCredential.Header("Bearer y", Optional.empty()));
    List<RegistryCredential> got = new ArrayList<>();
    daemon.script =
        (request, _) -> {
          CredentialSource source = ((PullRequest) request).source().access().credentials();
          for (int i = 0; i < all.size(); i++) {
            got.add(source.find(challenge));
          }
        };
    List<CredentialSource.Challenge> questions = new ArrayList<>();
    var answers = new ArrayList<>(all);
    pull(
        asked -> {
          questions.add(asked);
          return answers.removeFirst();
        });
    assertThat(got).isEqualTo(all);
    assertThat(questions).hasSize(all.size()).containsOnly(challenge);
  }

  @Test
  void a_client_that_cannot_tell_credentials_fails_with_its_own_reason() {
    daemon.script =
        (request, _) ->
            ((PullRequest) request)
                .source()
                .access()
                .credentials()
                .find(new CredentialSource.Challenge("h", "r", List.of()));
    assertThatThrownBy(
            () ->
                pull(
                    _ -> {
                      throw new PermissionDeniedException("the helper is locked");
                    }))
        .hasMessageContaining("the helper is locked");
  }

  @Test
  void the_log_of_requests_comes_to_the_client() {
    daemon.script =
        (request, _) -> {
          var log = ((PullRequest) request).source().access().log().orElseThrow();
          log.accept("GET /v2/");
          log.accept("200 \u00e4");
        };
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    RegistryAccess access =
        new RegistryAccess(
            CredentialSource.NONE,
            Map.of(),
            "",
            "",
            RegistryAccess.HttpDebug.DEBUG,
            Optional.of(lines::add));
    transfers.pull(
        new PullRequest(new RemoteImage(REFERENCE, access), EVERYTHING), TransferListener.NONE);
    assertThat(lines).containsExactly("GET /v2/", "200 \u00e4");
  }

  @Test
  void an_archive_goes_in() {
    byte[] archive = random(5_000_000);
    var arrived = new ByteArrayOutputStream();
    daemon.importing = (bytes, _) -> bytes.transferTo(arrived);
    ImportRequest request = new ImportRequest("application/x", true, EVERYTHING);
    transfers.importArchive(new ByteArrayInputStream(archive), request, TransferListener.NONE);
    assertThat(arrived.toByteArray()).isEqualTo(archive);
    assertThat(daemon.asked).containsExactly(request);
  }

  @Test
  void an_archive_comes_out() {
    byte[] archive = random(5_000_001);
    daemon.exporting = (bytes, _) -> bytes.write(archive);
    ExportRequest request =
        new ExportRequest(
            EVERYTHING,
            "application/x",
            List.of(new Platform("linux", "s390x", "")),
            true,
            true,
            true);
    var out = new ByteArrayOutputStream();
    transfers.exportArchive(out, request, TransferListener.NONE);
    assertThat(out.toByteArray()).isEqualTo(archive);
    assertThat(daemon.asked).containsExactly(request);
  }

  @Test
  void an_archive_that_cannot_be_read_fails_with_that_reason() {
    InputStream broken =
        new InputStream() {
          private int left = 100_000;

          @Override
          public int read() throws IOException {
            if (left-- == 0) {
              throw new IOException("the tape is torn");
            }
            return 0;
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            into[offset] = (byte) read();
            return 1;
          }
        };
    assertThatThrownBy(
            () ->
                transfers.importArchive(
                    broken, new ImportRequest("", false, EVERYTHING), TransferListener.NONE))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("the tape is torn");
  }

  @Test
  void an_import_that_the_daemon_gives_up_fails_with_its_reason() {
    daemon.importing =
        (bytes, _) -> {
          assertThat(bytes.readNBytes(10)).hasSize(10);
          throw new NotFoundException("blob x");
        };
    assertThatThrownBy(
            () ->
                transfers.importArchive(
                    new ByteArrayInputStream(random(3_000_000)),
                    new ImportRequest("", false, EVERYTHING),
                    TransferListener.NONE))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("blob x");
  }

  @Test
  void an_export_that_breaks_off_is_not_taken_for_whole() {
    daemon.exporting =
        (bytes, _) -> {
          bytes.write(random(100_000));
          throw new IOException("the disk is gone");
        };
    ExportRequest request = new ExportRequest(EVERYTHING, "", List.of(), false, false, false);
    assertThatThrownBy(
            () ->
                transfers.exportArchive(
                    new ByteArrayOutputStream(), request, TransferListener.NONE))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("the disk is gone");
  }

  @Test
  void a_place_for_an_archive_that_is_full_fails_with_that_reason() {
    daemon.exporting = (bytes, _) -> bytes.write(random(1_000_000));
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int octet) throws IOException {
            throw new IOException("no space left on device");
          }
        };
    ExportRequest request = new ExportRequest(EVERYTHING, "", List.of(), false, false, false);
    assertThatThrownBy(() -> transfers.exportArchive(full, request, TransferListener.NONE))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("no space left on device");
  }

  @Test
  void archives_go_in_and_come_out_as_people_usually_want_it() {
    daemon.exporting = (bytes, _) -> bytes.write(7);
    var out = new ByteArrayOutputStream();
    transfers.exportArchive(out, List.of("a:1", "b:2"));
    assertThat(out.toByteArray()).containsExactly(7);
    ExportRequest exported = (ExportRequest) daemon.asked.removeFirst();
    assertThat(exported.source().references())
        .extracting(ExtraReference::name)
        .containsExactly("a:1", "b:2");
    assertThat(exported.platforms()).containsExactly(Platforms.host());
    transfers.importArchive(new ByteArrayInputStream(new byte[1]));
    ImportRequest imported = (ImportRequest) daemon.asked.removeFirst();
    assertThat(imported.destination().unpacks())
        .containsExactly(new UnpackTarget(Platforms.host(), ""));
    assertThat(imported.destination().references()).allMatch(ExtraReference::isPrefix);
  }

  @Test
  void names_are_given() {
    ImageSelection source = new ImageSelection("a");
    assertThat(transfers.tag(source, EVERYTHING, TransferListener.NONE)).isEmpty();
    assertThat(daemon.asked).containsExactly(List.of(source, EVERYTHING));
  }

  @ParameterizedTest
  @EnumSource
  void what_is_to_be_converted_arrives_as_it_was_asked_for(ConversionRequest.Layers layers) {
    var request =
        new ConversionRequest(
            "a/b:c", "a/b:d", layers, true, List.of(new Platform("linux", "arm64", "v8")));
    assertThat(transfers.convert(request, TransferListener.NONE)).isEmpty();
    assertThat(daemon.asked).containsExactly(request);
  }

  @Test
  void interruption_ends_the_daemons_work_too() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    daemon.script =
        (_, _) -> {
          begun.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            ended.complete(true);
            throw new CancelledException("push", e);
          }
        };
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    Thread pushing =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    push(TransferListener.NONE);
                    failure.complete(new AssertionError("the push came to an end"));
                  } catch (RuntimeException e) {
                    failure.complete(e);
                  }
                });
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
    pushing.interrupt();
    assertThat(failure.get(60, TimeUnit.SECONDS)).isInstanceOf(CancelledException.class);
    assertThat(ended.get(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void a_pull_that_discards_layers_has_no_words() {
    PullRequest request =
        new PullRequest(new RemoteImage(REFERENCE, RegistryAccess.USUAL), EVERYTHING, true);
    assertThatThrownBy(() -> transfers.pull(request, TransferListener.NONE))
        .isInstanceOf(NotImplementedException.class);
  }

  // ---- what only other clients send ----

  @Test
  void pairs_that_make_no_sense_are_not_implemented() {
    List<Message> ends =
        List.of(
            OCIRegistry.newBuilder().setReference("a/b:c").build(),
            ImageStore.newBuilder().setName("a/b:c").build(),
            ImageImportStream.getDefaultInstance(),
            ImageExportStream.getDefaultInstance(),
            ContainerPath.getDefaultInstance(),
            ReadStream.getDefaultInstance());
    List<String> works =
        List.of(
            "OCIRegistry ImageStore",
            "ImageStore OCIRegistry",
            "ImageImportStream ImageStore",
            "ImageStore ImageExportStream",
            "ImageStore ImageStore",
            "ImageImportStream ImageExportStream");
    for (Message from : ends) {
      for (Message to : ends) {
        String pair =
            from.getDescriptorForType().getName() + " " + to.getDescriptorForType().getName();
        if (!works.contains(pair)) {
          assertThatThrownBy(() -> raw(TypedValues.packApi(from), TypedValues.packApi(to), ""))
              .as(pair)
              .hasMessage(
                  "UNIMPLEMENTED: method Transfer not implemented for %s to %s",
                  from.getDescriptorForType().getFullName(),
                  to.getDescriptorForType().getFullName());
        }
      }
    }
    assertThatThrownBy(() -> raw(Any.getDefaultInstance(), Any.getDefaultInstance(), ""))
        .hasMessageContaining("UNIMPLEMENTED");
  }

  @Test
  void an_archive_is_echoed() throws Exception {
    byte[] bytes = random(1_000_000);
    try (RemoteStream in = open("in");
        RemoteStream out = open("out")) {
      var sending =
          inBackground(
              () -> {
                try (var sender = new ByteSender(in)) {
                  sender.write(bytes);
                }
                return bytes.length;
              });
      var receiving = inBackground(() -> new ByteReceiver(out).readAllBytes());
      raw(
          TypedValues.packApi(ImageImportStream.newBuilder().setStream(in.id()).build()),
          TypedValues.packApi(ImageExportStream.newBuilder().setStream(out.id()).build()),
          "");
      assertThat(sending.get()).isEqualTo(bytes.length);
      assertThat(receiving.get()).isEqualTo(bytes);
    }
  }

  @Test
  void streams_that_nobody_opened_are_not_found() {
    Any store = TypedValues.packApi(ImageStore.newBuilder().setName("a").build());
    Any missing = TypedValues.packApi(ImageImportStream.newBuilder().setStream("no").build());
    assertThatThrownBy(() -> raw(missing, store, "")).hasMessageContaining("stream \"no\"");
    assertThatThrownBy(() -> raw(store, store, "nope")).hasMessageContaining("stream \"nope\"");
    assertThat(daemon.asked).isEmpty();
  }

  @Test
  void a_malformed_end_is_refused() {
    Any bad =
        TypedValues.packApi(ImageStore.getDefaultInstance()).toBuilder()
            .setValue(ByteString.copyFromUtf8("\u00ff\u00ff"))
            .build();
    assertThatThrownBy(() -> raw(bad, bad, "")).hasMessageContaining("INVALID_ARGUMENT");
  }

  // ---- helpers ----

  /** On a thread of its own: how many the common pool has depends on the machine. */
  private static <T> Future<T> inBackground(Callable<T> work) {
    var task = new FutureTask<>(work);
    Thread.ofVirtual().start(task);
    return task;
  }

  private RemoteStream open(String what) throws Exception {
    return RemoteStream.open(
        new Connection(served.client().channel(), Optional.of("contract"), Duration.ofSeconds(60)),
        what);
  }

  private void raw(Any source, Any destination, String progress) throws StatusException {
    var _ =
        TransferGrpc.newBlockingV2Stub(served.client().channel())
            .transfer(
                TransferRequest.newBuilder()
                    .setSource(source)
                    .setDestination(destination)
                    .setOptions(TransferOptions.newBuilder().setProgressStream(progress))
                    .build());
  }

  private void push(TransferListener listener) {
    transfers.push(
        new PushRequest(new ImageSelection("a"), new RemoteImage(REFERENCE, RegistryAccess.USUAL)),
        listener);
  }

  private void pull(CredentialSource credentials) {
    transfers.pull(
        new PullRequest(
            new RemoteImage(REFERENCE, RegistryAccess.USUAL.withCredentials(credentials)),
            EVERYTHING),
        TransferListener.NONE);
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(7).nextBytes(bytes);
    return bytes;
  }
}
