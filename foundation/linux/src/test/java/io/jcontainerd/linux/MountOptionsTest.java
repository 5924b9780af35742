package io.jcontainerd.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.libc.MountCalls;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountOptionsTest {
  @Test
  void flags_are_taken_out_and_the_rest_is_left_to_the_file_system_in_order() {
    MountOptions options =
        MountOptions.parse(
            List.of("ro", "nosuid", "workdir=/w", "noexec", "upperdir=/u", "defaults"));
    assertThat(options.flags())
        .isEqualTo(MountCalls.MS_RDONLY | MountCalls.MS_NOSUID | MountCalls.MS_NOEXEC);
    assertThat(options.dataText()).isEqualTo("workdir=/w,upperdir=/u");
  }

  @Test
  void a_later_option_takes_back_an_earlier_one() {
    assertThat(MountOptions.parse(List.of("ro", "nodev", "rw", "dev")).flags()).isZero();
  }

  @Test
  void propagation_changes_keep_their_order() {
    assertThat(MountOptions.parse(List.of("rbind", "rslave", "shared")).propagation())
        .containsExactly(MountCalls.MS_SLAVE | MountCalls.MS_REC, MountCalls.MS_SHARED);
  }

  @Test
  void id_mappings_are_read_and_must_come_in_pairs() {
    MountOptions options =
        MountOptions.parse(List.of("uidmap=0:100000:65536", "gidmap=0:200000:10,10:7:1"));
    assertThat(options.uids()).contains(List.of(new IdRange(0, 100000, 65536)));
    assertThat(options.gids()).contains(List.of(new IdRange(0, 200000, 10), new IdRange(10, 7, 1)));
    assertThatThrownBy(() -> MountOptions.parse(List.of("uidmap=0:1:1")))
        .hasMessageContaining("together");
    assertThatThrownBy(() -> MountOptions.parse(List.of("uidmap=0:1", "gidmap=0:1:1")))
        .hasMessageContaining("malformed");
    assertThatThrownBy(() -> IdRange.parse("0:4294967295:2")).hasMessageContaining("out of range");
  }

  @Test
  void an_option_of_containerds_own_must_have_been_handled_before() {
    assertThatThrownBy(() -> MountOptions.parse(List.of("X-containerd.mkdir.path=/x")))
        .hasMessageContaining("was not handled");
  }

  @Test
  void lower_folders_are_split_at_colons_that_are_not_escaped() {
    assertThat(OverlayMount.lowers(List.of("upperdir=/u", "lowerdir=/a\\:b:/c\\\\d:/e")))
        .containsExactly("/a:b", "/c\\d", "/e");
    assertThat(OverlayMount.common(List.of("/r/s/10/fs", "/r/s/9/fs", "/r/s/10/x")))
        .hasToString("/r/s");
    assertThat(OverlayMount.common(List.of("/a/b", "/c/d"))).hasToString("/");
  }
}
