package io.jcontainerd.mounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
  private static ActiveMount mounted(int number) {
    return new ActiveMount(
        new Mount("erofs", "/source/" + number, "target" + number, List.of()),
        Instant.EPOCH,
        "/at/" + number);
  }

  private static final List<ActiveMount> EARLIER = List.of(mounted(0), mounted(1), mounted(2));

  @ParameterizedTest
  @CsvSource({
    "plain,plain",
    "{{ source 1 }},/source/1",
    "{{target 2}},target2",
    "a={{ mount 0 }}/upper,a=/at/0/upper",
    "{{- mount 0 -}},/at/0",
    "lowerdir={{ overlay 0 2 }},lowerdir=/at/0:/at/1:/at/2",
    "lowerdir={{ overlay 2 1 }},lowerdir=/at/2:/at/1",
    "{{ overlay 1 1 }},/at/1",
    "{{ mount 0 }}:{{ mount 1 }},/at/0:/at/1",
  })
  void numbers_stand_for_earlier_mounts(String text, String filled) {
    assertThat(Template.fill(text, EARLIER)).isEqualTo(filled);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ mount 3 }}",
        "{{ overlay 0 3 }}",
        "{{ overlay 3 0 }}",
        "{{ overlay 0 }}",
        "{{ mount 0 1 }}",
        "{{ mount }}",
        "{{ mount -1 }}",
        "{{ mount 99999999999 }}",
        "{{ exec 0 }}",
        "{{ mount 0",
        "{{",
        "{{ {{ mount 0 }} }}",
      })
  void what_cannot_be_filled_in_is_refused(String text) {
    assertThatThrownBy(() -> Template.fill(text, EARLIER))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining(text);
  }

  @Test
  void every_part_of_a_mount_but_its_type_is_filled_in() {
    assertThat(
            Template.fill(
                new Mount(
                    "{{ x }}", "{{ mount 0 }}", "{{ target 0 }}", List.of("ro", "{{ source 0 }}")),
                EARLIER))
        .isEqualTo(new Mount("{{ x }}", "/at/0", "target0", List.of("ro", "/source/0")));
  }
}
