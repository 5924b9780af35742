package io.jcontainerd.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ValuesTest {
  private static final TaskExit EXIT = TaskExit.newBuilder().setContainerId("c").build();

  @Test
  void a_packed_message_has_its_bare_name_as_url() {
    assertThat(TypedValues.pack(EXIT).typeUrl()).isEqualTo("containerd.events.TaskExit");
    assertThat(TypedValues.packApi(EXIT).getTypeUrl()).isEqualTo("containerd.events.TaskExit");
  }

  @Test
  void a_prefixed_url_is_read_too() {
    TypedValue value =
        new TypedValue("type.googleapis.com/a/containerd.events.TaskExit", EXIT.toByteArray());

    assertThat(TypedValues.unpack(value, "containerd.events.TaskExit", TaskExit.parser()))
        .isEqualTo(EXIT);
  }

  @Test
  void another_type_and_broken_bytes_are_refused() {
    assertThatThrownBy(
            () ->
                TypedValues.unpack(
                    TypedValues.pack(EXIT), "containerd.events.TaskOOM", TaskExit.parser()))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(
            () ->
                TypedValues.unpack(
                    new TypedValue("containerd.events.TaskExit", new byte[] {10, 99}),
                    "containerd.events.TaskExit",
                    TaskExit.parser()))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void what_is_not_understood_goes_through_byte_for_byte() {
    Any any =
        Any.newBuilder()
            .setTypeUrl("example.com/Unheard")
            .setValue(ByteString.copyFromUtf8("{\"a\": 1,  \"z\":[]}"))
            .build();

    assertThat(TypedValues.toApi(TypedValues.toCore(any))).isEqualTo(any);
    assertThat(TypedValues.toCore(true, Any.getDefaultInstance())).isEmpty();
    assertThat(TypedValues.toCore(false, Any.getDefaultInstance())).isEmpty();
  }

  @Test
  void times_keep_their_nanoseconds_and_go_zero_is_no_time() {
    Instant instant = Instant.parse("2026-01-02T03:04:05.123456789Z");

    assertThat(Times.toCore(Times.toApi(instant))).isEqualTo(instant);
    assertThat(Times.toApi(Optional.<Instant>empty()).getSeconds()).isEqualTo(-62135596800L);
    assertThat(Times.toCore(true, Times.NONE)).isEmpty();
    assertThat(Times.toCore(false, Timestamp.getDefaultInstance())).isEmpty();
    assertThat(Times.toCore(true, Timestamp.getDefaultInstance())).contains(Instant.EPOCH);
  }

  @Test
  void impossible_times_are_refused() {
    for (Timestamp bad :
        List.of(
            Timestamp.newBuilder().setNanos(-1).build(),
            Timestamp.newBuilder().setNanos(1_000_000_000).build(),
            Timestamp.newBuilder().setSeconds(Long.MAX_VALUE).build())) {
      assertThatThrownBy(() -> Times.toCore(bad)).isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void a_mask_keeps_the_dots_of_a_key_and_none_means_all() {
    var mask =
        com.google.protobuf.FieldMask.newBuilder()
            .addPaths("labels.containerd.io/gc.ref.content.l.0")
            .addPaths("image")
            .build();

    FieldMask core = Masks.toCore(mask);

    assertThat(core.paths()).containsExactly("labels.containerd.io/gc.ref.content.l.0", "image");
    assertThat(Masks.toApi(core)).isEqualTo(mask);
    assertThat(Masks.toCore(com.google.protobuf.FieldMask.getDefaultInstance()).isAll()).isTrue();
  }
}
