package io.jcontainerd.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import io.jcontainerd.api.events.ContainerCreate;
import io.jcontainerd.api.events.ContainerUpdate;
import io.jcontainerd.api.events.ImageCreate;
import io.jcontainerd.api.events.TaskCreate;
import io.jcontainerd.api.events.TaskIO;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EventFieldsTest {
  @Test
  void namespace_and_topic() {
    assertThat(ask(ContainerUpdate.getDefaultInstance(), "namespace")).contains("moby");
    assertThat(ask(ContainerUpdate.getDefaultInstance(), "topic")).contains("/a/b");
    assertThat(ask(ContainerUpdate.getDefaultInstance(), "timestamp")).isEmpty();
    assertThat(ask(ContainerUpdate.getDefaultInstance(), "event")).isEmpty();
  }

  @Test
  void texts_maps_and_booleans_of_the_payload() {
    Message update =
        ContainerUpdate.newBuilder().setId("c").putLabels("a.b/c", "v").putLabels("e", "").build();

    assertThat(ask(update, "event", "id")).contains("c");
    assertThat(ask(update, "event", "image")).isEmpty();
    assertThat(ask(update, "event", "labels", "a", "b/c")).contains("v");
    assertThat(ask(update, "event", "labels", "e")).contains("");
    assertThat(ask(update, "event", "labels", "missing")).isEmpty();
    assertThat(ask(update, "event", "nonsense")).isEmpty();
  }

  @Test
  void nested_messages_and_values_inside_values() {
    Message create =
        ContainerCreate.newBuilder()
            .setRuntime(
                ContainerCreate.Runtime.newBuilder()
                    .setName("runc")
                    .setOptions(TypedValues.packApi(ImageCreate.newBuilder().setName("n").build())))
            .build();
    Message task = TaskCreate.newBuilder().setPid(3).setIo(TaskIO.newBuilder()).build();

    assertThat(ask(create, "event", "runtime", "name")).contains("runc");
    assertThat(ask(create, "event", "runtime", "options", "name")).contains("n");
    assertThat(ask(task, "event", "io", "terminal")).contains("false");
    assertThat(ask(task, "event", "pid")).isEmpty();
  }

  @Test
  void images_events_are_known_under_their_own_package() {
    assertThat(ask(ImageCreate.newBuilder().setName("n").build(), "event", "name")).contains("n");
  }

  @Test
  void a_payload_that_is_unknown_or_broken_has_no_fields() {
    assertThat(field(new TypedValue("x.Y", new byte[0]), "event", "id")).isEmpty();
    assertThat(
            field(new TypedValue("containerd.events.TaskExit", new byte[] {10, 99}), "event", "id"))
        .isEmpty();
  }

  private static Optional<String> ask(Message payload, String... path) {
    return field(TypedValues.pack(payload), path);
  }

  private static Optional<String> field(TypedValue payload, String... path) {
    Event event = new Event(Instant.EPOCH, "moby", "/a/b", payload);
    return new EventFields(event).field(List.of(path));
  }
}
