package io.jcontainerd.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountInfoTest {
  @Test
  void a_line_is_read_into_its_fields() throws IOException {
    MountInfo mount =
        MountInfo.parse(
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root"
                + " rw,errors=continue");
    assertThat(mount)
        .isEqualTo(
            new MountInfo(
                36,
                35,
                "98:0",
                "/mnt1",
                "/mnt2",
                List.of("rw", "noatime"),
                List.of("master:1", "shared:7"),
                "ext3",
                "/dev/root",
                List.of("rw", "errors=continue")));
  }

  @Test
  void escaped_characters_are_restored() throws IOException {
    MountInfo mount =
        MountInfo.parse("1 2 0:5 / /a\\040b\\011c\\012d\\134e\\043f rw - tmpfs x\\040y rw,size=1k");
    assertThat(mount.mountPoint()).isEqualTo("/a b\tc\nd\\e#f");
    assertThat(mount.source()).isEqualTo("x y");
    assertThat(mount.propagation()).isEmpty();
  }

  @Test
  void a_line_of_another_form_is_refused() {
    for (String line : List.of("", "1 2 3", "a 2 0:5 / /m rw - tmpfs t rw", "1 2 0:5 / /m rw -")) {
      assertThatThrownBy(() -> MountInfo.parse(line))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("unknown form");
    }
  }

  @Test
  void the_table_of_this_process_has_a_root_and_proc() throws IOException {
    assertThat(MountInfo.read()).extracting(MountInfo::mountPoint).contains("/", "/proc");
  }
}
