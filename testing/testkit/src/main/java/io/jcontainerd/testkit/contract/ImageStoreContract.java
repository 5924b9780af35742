package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link ImageStore} owes its callers. */
@ExtendWith(ContractReport.class)
public abstract class ImageStoreContract {
  private static final Instant LONG_AGO = Instant.parse("2001-02-03T04:05:06Z");

  /** For subclasses. */
  protected ImageStoreContract() {}

  /** The store of this test. */
  protected abstract ImageStore open();

  private static Descriptor target(String text, Map<String, String> annotations) {
    return new Descriptor(
        "application/vnd.oci.image.manifest.v1+json",
        Digest.sha256(text.getBytes(StandardCharsets.UTF_8)),
        text.length(),
        annotations);
  }

  private static Image image(String name, Map<String, String> labels) {
    return new Image(name, target("one", Map.of()), labels, LONG_AGO, LONG_AGO);
  }

  private static Image store(ImageStore store, String name, Map<String, String> labels) {
    return store.create(image(name, labels), Optional.empty());
  }

  private static List<String> names(ImageStore store, String filter) {
    return store.list(Filter.parse(filter)).stream().map(Image::name).toList();
  }

  @Test
  void a_stored_image_is_found_with_times_of_the_store() {
    ImageStore store = open();
    Image stored = store(store, "docker.io/a:1", Map.of("k", "v"));
    assertThat(stored.createdAt()).isAfter(LONG_AGO);
    assertThat(stored.target()).isEqualTo(target("one", Map.of()));
    assertThat(stored.labels()).isEqualTo(Map.of("k", "v"));
    assertThat(store.get("docker.io/a:1")).isEqualTo(stored);
  }

  @Test
  void the_time_of_creation_can_be_told() {
    ImageStore store = open();
    Image stored = store.create(image("a", Map.of()), Optional.of(LONG_AGO));
    assertThat(stored.createdAt()).isEqualTo(LONG_AGO);
    assertThat(store.get("a").createdAt()).isEqualTo(LONG_AGO);
  }

  @Test
  void a_name_is_given_once_and_never_empty() {
    ImageStore store = open();
    store(store, "a", Map.of());
    assertThatThrownBy(() -> store(store, "a", Map.of()))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("a");
    assertThatThrownBy(() -> store(store, "", Map.of()))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void what_is_not_there_is_not_found() {
    ImageStore store = open();
    assertThatThrownBy(() -> store.get("none"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> store.update(image("none", Map.of()), FieldMask.ALL, Optional.empty()))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.delete("none", Optional.empty(), false))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_list_is_in_order_and_filtered() {
    ImageStore store = open();
    store(store, "b", Map.of("tier", "web"));
    store(store, "a", Map.of());
    store(store, "c", Map.of("tier", "db"));
    assertThat(names(store, "")).containsExactly("a", "b", "c");
    assertThat(names(store, "name==b")).containsExactly("b");
    assertThat(names(store, "labels.tier")).containsExactly("b", "c");
    assertThat(names(store, "labels.tier==db")).containsExactly("c");
    assertThat(names(store, "target.digest==" + target("one", Map.of()).digest())).hasSize(3);
  }

  @Test
  void fields_change_by_mask() {
    ImageStore store = open();
    store(store, "a", Map.of("keep", "1", "drop", "2"));
    var change =
        new Image(
            "a",
            target("two", Map.of("note", "x")),
            Map.of("drop", "", "add", "3"),
            LONG_AGO,
            LONG_AGO);
    store.update(change, mask("labels.drop", "labels.add"), Optional.empty());
    assertThat(store.get("a").labels()).isEqualTo(Map.of("keep", "1", "add", "3"));
    assertThat(store.get("a").target()).isEqualTo(target("one", Map.of()));

    store.update(change, mask("annotations.note"), Optional.empty());
    assertThat(store.get("a").target()).isEqualTo(target("one", Map.of("note", "x")));
    store.update(change, mask("target"), Optional.empty());
    assertThat(store.get("a").target()).isEqualTo(change.target());

    Image all = store.update(image("a", Map.of("z", "9")), FieldMask.ALL, Optional.empty());
    assertThat(store.get("a")).isEqualTo(all);
    assertThat(all.labels()).isEqualTo(Map.of("z", "9"));
    assertThat(all.updatedAt()).isAfterOrEqualTo(all.createdAt());
    assertThatThrownBy(() -> store.update(change, mask("name"), Optional.empty()))
        .isInstanceOf(InvalidArgumentException.class);
  }

  private static FieldMask mask(String... paths) {
    return new FieldMask(List.of(paths));
  }

  @Test
  void a_removed_image_is_gone_and_one_with_another_target_stays() {
    ImageStore store = open();
    Image stored = store(store, "a", Map.of());
    Digest other = target("two", Map.of()).digest();
    assertThatThrownBy(() -> store.delete("a", Optional.of(other), false))
        .isInstanceOf(NotFoundException.class);
    assertThat(store.get("a")).isEqualTo(stored);
    store.delete("a", Optional.of(stored.target().digest()), true);
    assertThat(names(store, "")).isEmpty();
    store(store, "a", Map.of());
  }

  @Test
  void a_name_may_be_any_text() {
    ImageStore store = open();
    String odd = "localhost:5000/a b/\u00e9@sha256:x,\"y\"";
    Image stored = store(store, odd, Map.of("k=\n\\", "v=\n\\"));
    assertThat(store.get(odd)).isEqualTo(stored);
    store(store, "Case", Map.of());
    store(store, "case", Map.of());
    assertThat(names(store, "")).containsExactly("Case", "case", odd);
  }

  @Test
  void a_target_says_what_and_how_large_it_is() {
    ImageStore store = open();
    Descriptor good = target("one", Map.of());
    for (Descriptor bad :
        List.of(new Descriptor("", good.digest(), 1), new Descriptor("a/b", good.digest(), 0))) {
      var image = new Image("a", bad, Map.of(), LONG_AGO, LONG_AGO);
      assertThatThrownBy(() -> store.create(image, Optional.empty()))
          .isInstanceOf(InvalidArgumentException.class);
      store(store, "b", Map.of());
      var changed = new Image("b", bad, Map.of(), LONG_AGO, LONG_AGO);
      assertThatThrownBy(() -> store.update(changed, FieldMask.ALL, Optional.empty()))
          .isInstanceOf(InvalidArgumentException.class);
      store.delete("b", Optional.empty(), false);
    }
    assertThat(names(store, "")).isEmpty();
  }

  @Test
  void labels_that_are_too_long_are_refused() {
    ImageStore store = open();
    Map<String, String> tooLong = Map.of("k", "v".repeat(4096));
    assertThatThrownBy(() -> store(store, "a", tooLong))
        .isInstanceOf(InvalidArgumentException.class);
    Image stored = store(store, "a", Map.of());
    assertThatThrownBy(() -> store.update(image("a", tooLong), FieldMask.ALL, Optional.empty()))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(store.get("a")).isEqualTo(stored);
  }

  @Test
  void annotations_of_the_target_are_kept_and_can_be_asked_for() {
    ImageStore store = open();
    var annotated =
        new Image("a", target("one", Map.of("note", "x")), Map.of(), LONG_AGO, LONG_AGO);
    store.create(annotated, Optional.empty());
    store(store, "b", Map.of());
    assertThat(store.get("a").target().annotations()).isEqualTo(Map.of("note", "x"));
    assertThat(names(store, "annotations.note==x")).containsExactly("a");
    assertThat(names(store, "target.mediatype~=manifest")).hasSize(2);
  }

  @Test
  void an_update_keeps_the_time_of_creation() {
    ImageStore store = open();
    Image stored = store(store, "a", Map.of("k", "v"));
    Image same = store.update(image("a", Map.of()), mask("labels"), Optional.empty());
    assertThat(same.createdAt()).isEqualTo(stored.createdAt());
    assertThat(same.labels()).isEmpty();
    assertThat(same.updatedAt()).isAfterOrEqualTo(stored.updatedAt());
  }

  @Test
  void one_of_many_gets_a_name() throws Exception {
    ImageStore store = open();
    Callable<Boolean> attempt =
        () -> {
          try {
            store(store, "wanted", Map.of());
            return true;
          } catch (AlreadyExistsException e) {
            return false;
          }
        };
    assertThat(Race.of(Collections.nCopies(8, attempt))).containsOnlyOnce(true);
    assertThat(names(store, "")).containsExactly("wanted");
  }

  @Test
  void updates_of_different_labels_do_not_undo_each_other() throws Exception {
    ImageStore store = open();
    store(store, "a", Map.of());
    var tasks = new ArrayList<Callable<Image>>();
    for (int i = 0; i < 16; i++) {
      String key = "k" + i;
      tasks.add(
          () ->
              store.update(image("a", Map.of(key, "v")), mask("labels." + key), Optional.empty()));
    }
    Race.of(tasks);
    assertThat(store.get("a").labels()).hasSize(16);
  }

  @Test
  void a_label_without_a_value_is_none() {
    ImageStore store = open();
    Image stored = store(store, "a", Map.of("none", "", "some", "x"));
    assertThat(stored.labels()).isEqualTo(Map.of("some", "x"));
    assertThat(store.get("a")).isEqualTo(stored);
    store.update(image("a", Map.of("none", "")), mask("labels"), Optional.empty());
    assertThat(store.get("a").labels()).isEmpty();
  }
}
