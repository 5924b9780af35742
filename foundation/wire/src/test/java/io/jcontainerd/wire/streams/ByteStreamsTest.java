package io.jcontainerd.wire.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.jcontainerd.api.types.transfer.Data;
import io.jcontainerd.api.types.transfer.WindowUpdate;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class ByteStreamsTest {
  private static final int CHUNK = 32 << 10;
  private static final int WINDOW = 64 << 10;

  private final StreamPair pair = new StreamPair();

  @Test
  void bytes_arrive_as_they_were_sent() throws Exception {
    byte[] bytes = random(1_000_001);
    var received = CompletableFuture.supplyAsync(this::readAll);
    try (ByteSender out = new ByteSender(pair.one)) {
      int at = 0;
      var sizes = new Random(5);
      while (at < bytes.length) {
        int count = Math.min(bytes.length - at, sizes.nextInt(100_000));
        out.write(bytes, at, count);
        at += count;
      }
    }
    assertThat(received.get()).isEqualTo(bytes);
  }

  @Test
  void nothing_at_all_arrives_as_nothing() throws Exception {
    var received = CompletableFuture.supplyAsync(this::readAll);
    new ByteSender(pair.one).close();
    assertThat(received.get()).isEmpty();
  }

  @Test
  void messages_hold_32_kibibytes_and_no_more_are_on_their_way_than_was_allowed() throws Exception {
    byte[] bytes = random(10 * WINDOW);
    var sending = CompletableFuture.runAsync(() -> writeAll(bytes));
    long allowed = 0;
    long seen = 0;
    List<Integer> sizes = new ArrayList<>();
    pair.other.send(update(WINDOW));
    allowed += WINDOW;
    for (var next = pair.other.receive(); next.isPresent(); next = pair.other.receive()) {
      int size = size(next.get());
      sizes.add(size);
      seen += size;
      assertThat(seen).isLessThanOrEqualTo(allowed);
      if (seen == allowed && seen < bytes.length) {
        pair.other.send(update(WINDOW));
        allowed += WINDOW;
      }
    }
    sending.get();
    assertThat(sizes).hasSize(20).allMatch(size -> size == CHUNK);
  }

  @Test
  void a_small_window_makes_small_messages() throws Exception {
    var sending = CompletableFuture.runAsync(() -> writeAll(new byte[100]));
    pair.other.send(update(30));
    assertThat(data()).isEqualTo(30);
    pair.other.send(update(0));
    pair.other.send(update(1000));
    assertThat(data()).isEqualTo(70);
    assertThat(pair.other.receive()).isEmpty();
    sending.get();
  }

  @Test
  void the_receiver_allows_a_window_at_first_and_another_when_less_is_left() throws Exception {
    var in = new ByteReceiver(pair.other);
    for (int i = 0; i < 3; i++) {
      pair.one.send(data(new byte[CHUNK]));
    }
    pair.one.close();
    assertThat(in.readNBytes(1)).hasSize(1);
    assertThat(pair.other.sent).containsExactly(update(WINDOW));
    assertThat(in.readAllBytes()).hasSize(3 * CHUNK - 1);
    // 64 allowed; after 32 of them 96, after 64 still 64; after 96 of them 32 and so 64 more
    assertThat(pair.other.sent).containsExactly(update(WINDOW), update(WINDOW), update(WINDOW));
  }

  @Test
  void a_sender_that_does_not_wait_is_refused() {
    pair.one.send(data(new byte[WINDOW + 1]));
    var in = new ByteReceiver(pair.other);
    assertThatIOException()
        .isThrownBy(in::read)
        .withMessageContaining("65537 bytes were sent where 65536 were allowed");
  }

  @Test
  void a_stream_that_breaks_off_is_not_taken_for_the_end() throws Exception {
    var out = new ByteSender(pair.one);
    pair.other.send(update(WINDOW));
    out.write(new byte[10]);
    out.flush();
    out.fail("for a reason");
    var in = new ByteReceiver(pair.other);
    assertThat(in.readNBytes(10)).hasSize(10);
    assertThatIOException().isThrownBy(in::read).withMessageContaining("the other side is gone");
  }

  @Test
  void a_reader_that_leaves_fails_the_sender() {
    pair.other.close();
    var out = new ByteSender(pair.one);
    assertThatIOException()
        .isThrownBy(() -> out.write(new byte[CHUNK]))
        .withMessageContaining("ended it before all was sent");
    assertThatIOException().isThrownBy(out::close);
    assertThatIOException()
        .isThrownBy(() -> new ByteReceiver(pair.other).read())
        .withMessageContaining("gone");
  }

  @Test
  void what_is_no_window_update_fails_the_sender() {
    pair.other.send(data(new byte[1]));
    assertThatIOException()
        .isThrownBy(() -> writeThrough(new byte[1]))
        .withMessageContaining("expected containerd.types.transfer.WindowUpdate");
  }

  @Test
  void a_negative_window_update_fails_the_sender() {
    pair.other.send(update(-1));
    assertThatIOException()
        .isThrownBy(() -> writeThrough(new byte[1]))
        .withMessageContaining("window update of -1");
  }

  @Test
  void interruption_ends_a_wait_and_stays_set() {
    Thread.currentThread().interrupt();
    assertThatIOException().isThrownBy(() -> new ByteReceiver(pair.other).read());
    assertThat(Thread.interrupted()).isTrue();
  }

  private void writeThrough(byte[] bytes) throws IOException {
    try (ByteSender out = new ByteSender(pair.one)) {
      out.write(bytes);
    }
  }

  private void writeAll(byte[] bytes) {
    try {
      writeThrough(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private byte[] readAll() {
    try (ByteReceiver in = new ByteReceiver(pair.other)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private int data() throws Exception {
    return size(pair.other.receive().orElseThrow());
  }

  private static int size(Any message) {
    return TypedValues.unpack(
            TypedValues.toCore(message), "containerd.types.transfer.Data", Data.parser())
        .getData()
        .size();
  }

  private static Any update(int bytes) {
    return TypedValues.packApi(WindowUpdate.newBuilder().setUpdate(bytes).build());
  }

  private static Any data(byte[] bytes) {
    return TypedValues.packApi(Data.newBuilder().setData(ByteString.copyFrom(bytes)).build());
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(3).nextBytes(bytes);
    return bytes;
  }
}
