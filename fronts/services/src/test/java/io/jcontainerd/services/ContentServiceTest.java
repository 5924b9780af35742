package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jcontainerd.api.services.content.v1.AbortRequest;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.DeleteContentRequest;
import io.jcontainerd.api.services.content.v1.Info;
import io.jcontainerd.api.services.content.v1.InfoRequest;
import io.jcontainerd.api.services.content.v1.ListContentRequest;
import io.jcontainerd.api.services.content.v1.ListContentResponse;
import io.jcontainerd.api.services.content.v1.ListStatusesRequest;
import io.jcontainerd.api.services.content.v1.ReadContentRequest;
import io.jcontainerd.api.services.content.v1.ReadContentResponse;
import io.jcontainerd.api.services.content.v1.StatusRequest;
import io.jcontainerd.api.services.content.v1.UpdateRequest;
import io.jcontainerd.api.services.content.v1.WriteAction;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.time.Soon;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ContentServiceTest {
  private static final String NAMESPACE = "default";
  private static final byte[] HELLO = "hello, layer".getBytes(StandardCharsets.UTF_8);
  private static final String DIGEST = Digest.sha256(HELLO).toString();

  @TempDir Path folder;
  private final InMemoryContentStore store = new InMemoryContentStore();
  private SocketServer server;
  private ContentGrpc.ContentBlockingStub content;

  @BeforeEach
  void serve() throws Exception {
    server = new SocketServer(folder, List.of(Services.content(store, Time.SYSTEM)));
    content = stub(NAMESPACE);
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void a_blob_comes_in_by_stat_write_and_commit() throws Exception {
    try (Write write = write()) {
      write.send(request(WriteAction.STAT).setRef("r").setTotal(HELLO.length));
      WriteContentResponse stat = write.next();
      assertThat(stat.getAction()).isEqualTo(WriteAction.STAT);
      assertThat(stat.getOffset()).isZero();
      assertThat(stat.getTotal()).isEqualTo(HELLO.length);
      assertThat(stat.hasStartedAt() && stat.hasUpdatedAt()).isTrue();

      write.send(request(WriteAction.WRITE).setData(bytes(HELLO, 0, 5)));
      WriteContentResponse written = write.next();
      assertThat(written.getAction()).isEqualTo(WriteAction.WRITE);
      assertThat(written.getOffset()).isEqualTo(5);
      assertThat(written.getDigest())
          .isEqualTo(Digest.sha256("hello".getBytes(StandardCharsets.UTF_8)).toString());

      write.send(
          request(WriteAction.COMMIT)
              .setOffset(5)
              .setData(bytes(HELLO, 5, HELLO.length))
              .setExpected(DIGEST)
              .putLabels("a", "b"));
      WriteContentResponse committed = write.next();
      assertThat(committed.getAction()).isEqualTo(WriteAction.COMMIT);
      assertThat(committed.getOffset()).isEqualTo(HELLO.length);
      assertThat(committed.getDigest()).isEqualTo(DIGEST);
      assertThat(write.next()).as("containerd repeats the last answer").isEqualTo(committed);
      assertThat(write.end().isOk()).isTrue();
    }
    assertThat(info(DIGEST).getLabelsMap()).isEqualTo(Map.of("a", "b"));
    assertThat(content.listStatuses(ListStatusesRequest.getDefaultInstance()).getStatusesList())
        .isEmpty();
  }

  @Test
  void a_first_message_without_ref_is_refused_and_so_is_no_message() throws Exception {
    try (Write write = write()) {
      write.send(request(WriteAction.STAT));
      write.fails(
          Status.Code.INVALID_ARGUMENT, "first message must have a reference: invalid argument");
    }
    try (Write write = write()) {
      write.halfClose();
      write.fails(Status.Code.INVALID_ARGUMENT, "reference: invalid argument");
    }
  }

  @Test
  void a_ref_in_use_is_unavailable_until_its_stream_ends_however_it_ends() throws Exception {
    try (Write first = write()) {
      first.send(request(WriteAction.WRITE).setRef("r").setData(bytes(HELLO, 0, 5)));
      first.next();
      try (Write second = write()) {
        second.send(request(WriteAction.STAT).setRef("r"));
        second.fails(Status.Code.UNAVAILABLE, ": unavailable");
      }
      first.call.cancel("the client dies", null);
    }
    assertThat(resumedOffset("r")).isEqualTo(5);
  }

  @Test
  void a_stream_that_ends_early_keeps_the_bytes() throws Exception {
    try (Write write = write()) {
      write.send(request(WriteAction.WRITE).setRef("r").setData(bytes(HELLO, 0, 5)));
      WriteContentResponse written = write.next();
      write.halfClose();
      assertThat(write.next()).isEqualTo(written);
      assertThat(write.end().isOk()).isTrue();
    }
    assertThat(
            content.status(StatusRequest.newBuilder().setRef("r").build()).getStatus().getOffset())
        .isEqualTo(5);
    assertThat(resumedOffset("r")).isEqualTo(5);
  }

  @Test
  void offset_zero_begins_anew_and_any_other_must_be_the_end() throws Exception {
    try (Write write = write()) {
      write.send(request(WriteAction.WRITE).setRef("r").setData(bytes(HELLO, 0, 5)));
      write.next();
      write.send(request(WriteAction.WRITE).setOffset(0).setData(bytes(HELLO, 0, 3)));
      assertThat(write.next().getOffset()).isEqualTo(3);
      write.send(request(WriteAction.WRITE).setOffset(9).setData(bytes(HELLO, 0, 3)));
      write.fails(
          Status.Code.OUT_OF_RANGE, "write @9 must occur at current offset 3: out of range");
    }
    try (Write write = write()) {
      write.send(request(WriteAction.WRITE).setRef("n").setOffset(-1));
      write.fails(Status.Code.OUT_OF_RANGE, ": out of range");
    }
  }

  @Test
  void a_blob_that_is_there_ends_the_stream_and_removes_the_ingest() throws Exception {
    try (Write write = write()) {
      write.send(request(WriteAction.WRITE).setRef("r").setData(bytes(HELLO, 0, 5)));
      write.next();
      Call.in(NAMESPACE).run(() -> store.add(HELLO, Map.of()));
      write.send(request(WriteAction.WRITE).setOffset(5).setExpected(DIGEST));
      write.fails(Status.Code.ALREADY_EXISTS, "content " + DIGEST + ": already exists");
    }
    assertFails(
        () -> content.status(StatusRequest.newBuilder().setRef("r").build()),
        Status.Code.NOT_FOUND,
        ": not found");
    try (Write write = write()) {
      write.send(request(WriteAction.STAT).setRef("another").setExpected(DIGEST));
      write.fails(Status.Code.ALREADY_EXISTS, ": already exists");
    }
  }

  @Test
  void wrong_size_wrong_digest_and_nonsense_are_refused() throws Exception {
    try (Write write = write()) {
      write.send(
          request(WriteAction.COMMIT)
              .setRef("r")
              .setData(bytes(HELLO, 0, 5))
              .setTotal(HELLO.length));
      write.fails(Status.Code.FAILED_PRECONDITION, ": failed precondition");
    }
    try (Write write = write()) {
      write.send(
          request(WriteAction.COMMIT).setRef("s").setData(bytes(HELLO, 0, 5)).setExpected(DIGEST));
      write.fails(Status.Code.FAILED_PRECONDITION, ": failed precondition");
    }
    try (Write write = write()) {
      write.send(request(WriteAction.STAT).setRef("t").setExpected("sha256:zz"));
      write.fails(Status.Code.INVALID_ARGUMENT, ": invalid argument");
    }
  }

  @Test
  void a_range_is_read_in_chunks_counted_from_its_start() {
    byte[] large = new byte[2_500_000];
    new Random(7).nextBytes(large);
    Digest digest = add(large);

    List<ReadContentResponse> chunks = read(digest, 100, 0);

    assertThat(chunks).hasSize(3);
    assertThat(chunks.get(0).getOffset()).isZero();
    assertThat(chunks.get(0).getData().size()).isEqualTo(1 << 20);
    assertThat(chunks.get(1).getOffset()).isEqualTo(1 << 20);
    assertThat(joined(chunks)).isEqualTo(ByteString.copyFrom(large, 100, large.length - 100));
    assertThat(joined(read(digest, 5, 7))).isEqualTo(ByteString.copyFrom(large, 5, 7));
    assertThat(joined(read(digest, -3, 2))).isEqualTo(ByteString.copyFrom(large, 0, 2));
    assertThat(joined(read(digest, large.length - 2, 100)).size()).isEqualTo(2);
    assertThat(read(digest, large.length, 0)).isEmpty();
    assertFails(
        () -> read(digest, large.length + 1, 0), Status.Code.OUT_OF_RANGE, ": out of range");
  }

  @Test
  void a_list_comes_in_blocks_and_may_be_filtered() {
    List<Digest> all = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      all.add(add(("blob " + i).getBytes(StandardCharsets.UTF_8)));
    }

    List<Integer> sizes = new ArrayList<>();
    List<String> digests = new ArrayList<>();
    content
        .list(ListContentRequest.getDefaultInstance())
        .forEachRemaining(
            block -> {
              sizes.add(block.getInfoCount());
              block.getInfoList().forEach(info -> digests.add(info.getDigest()));
            });

    assertThat(sizes).containsExactly(100, 100, 50);
    assertThat(digests)
        .containsExactlyInAnyOrderElementsOf(all.stream().map(Digest::toString).toList());
    List<ListContentResponse> one = new ArrayList<>();
    content
        .list(ListContentRequest.newBuilder().addFilters("digest==" + all.getFirst()).build())
        .forEachRemaining(one::add);
    assertThat(one).hasSize(1);
    assertThat(one.getFirst().getInfoList()).hasSize(1);
    assertFails(
        () -> content.list(ListContentRequest.newBuilder().addFilters("a b").build()).hasNext(),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void labels_change_by_mask_and_what_is_missing_is_not_found() {
    Digest digest = add(HELLO);
    Info named = Info.newBuilder().setDigest(digest.toString()).putLabels("x.y/z", "1").build();

    Info updated =
        content
            .update(
                UpdateRequest.newBuilder()
                    .setInfo(named)
                    .setUpdateMask(FieldMask.newBuilder().addPaths("labels.x.y/z"))
                    .build())
            .getInfo();

    assertThat(updated.getLabelsMap()).isEqualTo(Map.of("x.y/z", "1"));
    assertThat(updated.getSize()).isEqualTo(HELLO.length);
    assertFails(
        () ->
            content.update(
                UpdateRequest.newBuilder()
                    .setInfo(named)
                    .setUpdateMask(FieldMask.newBuilder().addPaths("size"))
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    content.delete(DeleteContentRequest.newBuilder().setDigest(digest.toString()).build());
    assertFails(
        () -> info(digest.toString()), Status.Code.NOT_FOUND, "content " + digest + ": not found");
    assertFails(() -> info("sha256:no"), Status.Code.INVALID_ARGUMENT, ": invalid argument");
    assertFails(
        () -> content.abort(AbortRequest.newBuilder().setRef("r").build()),
        Status.Code.NOT_FOUND,
        ": not found");
  }

  @Test
  void a_namespace_sees_its_own_blobs_only() {
    Digest digest = add(HELLO);

    assertFails(
        () -> stub("other").info(InfoRequest.newBuilder().setDigest(digest.toString()).build()),
        Status.Code.NOT_FOUND,
        ": not found");
  }

  private ContentGrpc.ContentBlockingStub stub(String namespace) {
    Channel channel = server.in(namespace);
    return ContentGrpc.newBlockingStub(channel).withDeadlineAfter(100, TimeUnit.SECONDS);
  }

  private Digest add(byte[] bytes) {
    return Call.in(NAMESPACE).call(() -> store.add(bytes, Map.of()));
  }

  private Info info(String digest) {
    return content.info(InfoRequest.newBuilder().setDigest(digest).build()).getInfo();
  }

  private List<ReadContentResponse> read(Digest digest, long offset, long size) {
    List<ReadContentResponse> chunks = new ArrayList<>();
    content
        .read(
            ReadContentRequest.newBuilder()
                .setDigest(digest.toString())
                .setOffset(offset)
                .setSize(size)
                .build())
        .forEachRemaining(chunks::add);
    return chunks;
  }

  private static ByteString joined(List<ReadContentResponse> chunks) {
    return ByteString.copyFrom(chunks.stream().map(ReadContentResponse::getData).toList());
  }

  /** Opens the ref again, as soon as the server has seen the end of the stream before. */
  private long resumedOffset(String ref) throws Exception {
    var offset = new AtomicLong();
    Soon.until(
        "the ref is free",
        () -> {
          try (Write write = write()) {
            write.send(request(WriteAction.STAT).setRef(ref));
            offset.set(write.next().getOffset());
            return true;
          } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
              throw e;
            }
            return false;
          }
        });
    return offset.get();
  }

  private static WriteContentRequest.Builder request(WriteAction action) {
    return WriteContentRequest.newBuilder().setAction(action);
  }

  private static ByteString bytes(byte[] all, int from, int to) {
    return ByteString.copyFrom(all, from, to - from);
  }

  private Write write() {
    return new Write(
        server.in(NAMESPACE).newCall(ContentGrpc.getWriteMethod(), SocketServer.patience()));
  }

  /** One Write stream, step by step. */
  private static final class Write extends ClientCall.Listener<WriteContentResponse>
      implements AutoCloseable {
    final ClientCall<WriteContentRequest, WriteContentResponse> call;
    private final LinkedBlockingQueue<Optional<WriteContentResponse>> answers =
        new LinkedBlockingQueue<>();
    private final CompletableFuture<Status> end = new CompletableFuture<>();

    Write(ClientCall<WriteContentRequest, WriteContentResponse> call) {
      this.call = call;
      call.start(this, new Metadata());
      call.request(100);
    }

    void send(WriteContentRequest.Builder request) {
      call.sendMessage(request.build());
    }

    void halfClose() {
      call.halfClose();
    }

    WriteContentResponse next() throws Exception {
      Optional<WriteContentResponse> answer =
          Optional.ofNullable(answers.poll(60, TimeUnit.SECONDS)).orElseThrow();
      return answer.orElseThrow(() -> end.join().asRuntimeException());
    }

    Status end() throws Exception {
      return end.get(60, TimeUnit.SECONDS);
    }

    void fails(Status.Code code, String ending) throws Exception {
      Status status = end();
      assertThat(status.getCode()).as("%s", status).isEqualTo(code);
      assertThat(status.getDescription()).endsWith(ending);
    }

    @Override
    public void onMessage(WriteContentResponse message) {
      answers.add(Optional.of(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end.complete(status);
      answers.add(Optional.empty());
    }

    @Override
    public void close() {
      call.cancel("test is done with it", null);
    }
  }
}
